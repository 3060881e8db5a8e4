import EventLoops
import Testing

@testable import Transport

@Suite struct ProxyHeaderDecoderTests {
  typealias Decoded = ProxyHeaderDecoder.Result

  private func decode(_ bytes: [UInt8]) throws(ProxyHeaderError) -> Decoded {
    var outcome = Result<Decoded, ProxyHeaderError>.success(.incomplete)
    bytes.withUnsafeBytes { buffer in
      do throws(ProxyHeaderError) {
        outcome = .success(try ProxyHeaderDecoder.decode(buffer))
      } catch {
        outcome = .failure(error)
      }
    }
    return try outcome.get()
  }

  private func decode(_ text: String) throws(ProxyHeaderError) -> Decoded { try decode(Array(text.utf8)) }

  /// Every beginning of a header is incomplete, and what follows it is left alone.
  private func expect(_ bytes: [UInt8], _ header: ProxyHeader) throws {
    for count in bytes.indices {
      #expect(try decode(Array(bytes[..<count])) == .incomplete, "\(count) bytes")
    }
    #expect(try decode(bytes) == .complete(header, byteCount: bytes.count))
    #expect(try decode(bytes + [0x0D, 0x0A, 0x50]) == .complete(header, byteCount: bytes.count))
  }

  private let tcp4 = ProxyHeader(
    source: .ipv4(0xC000_0207, port: 56_324), destination: .ipv4(0xC633_6401, port: 443))
  private let tcp6 = ProxyHeader(
    source: .ipv6(0x2001_0DB8_0000_0000, 1, scope: 0, port: 1),
    destination: .ipv6(0x2001_0DB8_0000_0000, 2, scope: 0, port: 65_535))

  // MARK: version 1

  @Test func textOfEachFamily() throws {
    try expect(Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".utf8), tcp4)
    try expect(Array("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n".utf8), tcp6)
    try expect(Array("PROXY UNKNOWN\r\n".utf8), ProxyHeader())
    try expect(Array("PROXY UNKNOWN ffff::1 ? 99999 x\r\n".utf8), ProxyHeader())
  }

  @Test(arguments: [
    "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 \r\n",
    "PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 056 443\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 +5 443\r\n",
    "PROXY TCP4 192.0.2.07 198.51.100.1 5 443\r\n", "PROXY TCP4 ::1 ::2 5 443\r\n",
    "PROXY TCP6 192.0.2.7 198.51.100.1 5 443\r\n", "PROXY TCP6 [::1] ::2 5 443\r\n",
    "PROXY TCP4 192.0.2.7\0 198.51.100.1 5 443\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 5 443\r\n", "PROXY \r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 5 443\rX", "PROXY unknown\r\n", "PROXY TCP4 host 1.2.3.4 5 443\r\n",
  ])
  func malformedText(text: String) {
    #expect(throws: ProxyHeaderError.malformed) { try decode(text) }
  }

  /// "a 107-byte line … is enough" (§2.1), the end of line included.
  @Test func textHasALongestLine() throws {
    let start = "PROXY UNKNOWN "
    let longest = start + String(repeating: "x", count: 107 - 2 - start.utf8.count)
    #expect(try decode(longest + "\r\n") == .complete(ProxyHeader(), byteCount: 107))
    #expect(try decode(longest + "\r") == .incomplete)
    #expect(throws: ProxyHeaderError.tooLong) { try decode(longest + "x\r\n") }
    #expect(throws: ProxyHeaderError.tooLong) { try decode(longest + "x\r") }
    #expect(throws: ProxyHeaderError.tooLong) { try decode(longest + "xx") }
    #expect(try decode(longest + "x") == .incomplete)
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "POST", "PRI * HTTP/2.0", "\r\nGET", "PROXYX", "\u{16}\u{3}\u{1}"])
  func noHeaderAtAll(text: String) throws {
    #expect(try decode(text) == .absent)
  }

  // MARK: version 2

  private func binary(
    command: UInt8 = 0x21, family: UInt8, _ block: [UInt8], length: Int? = nil
  ) -> [UInt8] {
    let count = length ?? block.count
    return ProxyHeaderDecoder.signature + [command, family, UInt8(count >> 8), UInt8(count & 255)] + block
  }

  private let block4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB]

  private var block6: [UInt8] {
    let prefix: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11)
    return prefix + [1] + prefix + [2] + [0, 1, 0xFF, 0xFF]
  }

  @Test func binaryOfEachFamily() throws {
    try expect(binary(family: 0x11, block4), tcp4)
    try expect(binary(family: 0x21, block6), tcp6)
    let paths =
      Array("/run/a".utf8) + [UInt8](repeating: 0, count: 102) + [UInt8](repeating: 0x62, count: 108)
    let other = String(repeating: "b", count: 108)
    try expect(
      binary(family: 0x31, paths), ProxyHeader(source: .unix("/run/a"), destination: .unix(other)))
    try expect(binary(family: 0x00, [1, 2, 3]), ProxyHeader())
    try expect(binary(family: 0x00, []), ProxyHeader())
  }

  @Test func aProxyThatSpeaksForItself() throws {
    try expect(binary(command: 0x20, family: 0x00, []), ProxyHeader())
    // "discard the protocol block including the family which is ignored"
    try expect(binary(command: 0x20, family: 0xFF, [9, 9]), ProxyHeader())
  }

  @Test(arguments: [0x11, 0x21, 0x31] as [UInt8])
  func anAddressBlockMayNotBeShort(family: UInt8) {
    let count = family == 0x11 ? 11 : family == 0x21 ? 35 : 215
    #expect(throws: ProxyHeaderError.malformed) {
      try decode(binary(family: family, [UInt8](repeating: 0, count: count)))
    }
  }

  @Test func whatAStreamServerHasNoUseFor() {
    for family in [0x01, 0x02, 0x10, 0x12, 0x22, 0x32, 0x41, 0xFF] as [UInt8] {
      #expect(throws: ProxyHeaderError.unsupported) { try decode(binary(family: family, block4)) }
    }
    #expect(throws: ProxyHeaderError.unsupported) { try decode(binary(command: 0x22, family: 0x11, block4)) }
    #expect(throws: ProxyHeaderError.malformed) { try decode(binary(command: 0x11, family: 0x11, block4)) }
  }

  @Test func vectorsAreSkipped() throws {
    try expect(binary(family: 0x11, block4 + [0x04, 0, 0, 0xE0, 0, 3, 1, 2, 3]), tcp4)
    for broken in [[0x04], [0x04, 0], [0x04, 0, 1], [0x04, 0xFF, 0xFF, 1]] as [[UInt8]] {
      #expect(throws: ProxyHeaderError.malformed) { try decode(binary(family: 0x11, block4 + broken)) }
    }
  }

  @Test func theBlockHasALargestSize() throws {
    let vector = { (count: Int) in
      [0x04, UInt8(count >> 8), UInt8(count & 255)] + [UInt8](repeating: 0, count: count)
    }
    let largest = binary(family: 0x11, block4 + vector(2_048 - 12 - 3))
    #expect(try decode(largest) == .complete(tcp4, byteCount: 16 + 2_048))
    #expect(throws: ProxyHeaderError.tooLong) { try decode(binary(family: 0x11, [], length: 2_049)) }
    #expect(throws: ProxyHeaderError.tooLong) {
      try decode(binary(command: 0x20, family: 0, [], length: 65_535))
    }
  }

  // MARK: checksum

  @Test func theChecksumIsCRC32C() {
    let bytes = Array("123456789".utf8)
    #expect(bytes.withUnsafeBytes { ProxyHeaderDecoder.checksum($0, zeroing: 0..<0) } == 0xE306_9283)
  }

  @Test func aChecksumIsVerified() throws {
    var header = binary(family: 0x11, block4 + [0x04, 0, 1, 7] + [0x03, 0, 4, 0, 0, 0, 0])
    let sum = header.withUnsafeBytes { ProxyHeaderDecoder.checksum($0, zeroing: 0..<0) }
    for index in 0..<4 {
      header[header.count - 4 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index))
    }
    #expect(try decode(header) == .complete(tcp4, byteCount: header.count))
    header[17] ^= 1
    #expect(throws: ProxyHeaderError.badChecksum) { try decode(header) }
    #expect(throws: ProxyHeaderError.malformed) {
      try decode(binary(family: 0x11, block4 + [0x03, 0, 3, 0, 0, 0]))
    }
  }

  @Test func thereIsOneChecksum() throws {
    let vector: [UInt8] = [0x03, 0, 4, 0, 0, 0, 0]
    var header = binary(family: 0x11, block4 + vector + vector)
    let sum = header.withUnsafeBytes { ProxyHeaderDecoder.checksum($0, zeroing: 0..<0) }
    for index in 0..<4 {
      header[header.count - 11 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index))
    }
    #expect(throws: ProxyHeaderError.malformed) { try decode(header) }
  }
}
