import Bytes
import Testing

@Suite struct MaskingTests {
  private static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
  private static let word = key.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }

  /// RFC 6455 §5.7: "Hello".
  @Test func theExampleOfTheRFC() {
    var bytes = Array("Hello".utf8)
    bytes.withUnsafeMutableBytes { _ = Masking.apply(key: Self.word, to: $0) }
    #expect(bytes == [0x7F, 0x9F, 0x4D, 0x51, 0x58])
    bytes.withUnsafeMutableBytes { _ = Masking.apply(key: Self.word, to: $0) }
    #expect(bytes == Array("Hello".utf8))
  }

  /// Against RFC 6455 §5.3 octet by octet, at every alignment, for lengths around the widths of words and blocks,
  /// with every offset; bytes around stay as they are.
  @Test(arguments: 0..<16)
  func matchesTheRFCOctetByOctet(_ alignment: Int) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)
    defer { room.deallocate() }
    for count in 0...140 {
      for offset in 0..<5 {
        for index in 0..<room.count { room[index] = UInt8(truncatingIfNeeded: index &* 7 &+ 3) }
        Masking.apply(
          key: Self.word,
          to: UnsafeMutableRawBufferPointer(rebasing: room[alignment..<(alignment + count)]), offset: offset)
        for index in 0..<room.count {
          let inside = index >= alignment && index < alignment + count
          let mask = inside ? Self.key[(index - alignment + offset) % 4] : 0
          if room[index] != UInt8(truncatingIfNeeded: index &* 7 &+ 3) ^ mask {
            Issue.record("count \(count), offset \(offset), byte \(index)")
            return
          }
        }
      }
    }
  }

  /// A payload masked in pieces is the payload masked at once.
  @Test func piecesAddUp() {
    let payload = (0..<200).map { UInt8($0) }
    var whole = payload
    whole.withUnsafeMutableBytes { _ = Masking.apply(key: Self.word, to: $0) }
    for cut in 0...payload.count {
      var pieces = payload
      pieces.withUnsafeMutableBytes {
        Masking.apply(key: Self.word, to: UnsafeMutableRawBufferPointer(rebasing: $0[..<cut]))
        Masking.apply(key: Self.word, to: UnsafeMutableRawBufferPointer(rebasing: $0[cut...]), offset: cut)
      }
      #expect(pieces == whole, "cut at \(cut)")
    }
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 1_000_003, .max, .max - 1, .max - 2]) func anyOffset(_ offset: Int) {
    var bytes: [UInt8] = [0, 0, 0, 0, 0]
    bytes.withUnsafeMutableBytes { _ = Masking.apply(key: Self.word, to: $0, offset: offset) }
    #expect(bytes == (0..<5).map { Self.key[(offset % 4 + $0) % 4] })
  }

  @Test func nothingIsMaskedToNothing() {
    #expect(Masking.apply(key: 1, to: UnsafeMutableRawBufferPointer(start: nil, count: 0)))
  }

  /// One octet above 0x7F among what results, wherever it is.
  @Test func tellsWhetherAllIsASCII() {
    for count in 0...140 {
      for odd in -1..<count {
        var bytes = (0..<count).map { ($0 == odd ? 0x80 : 0x7F) ^ Self.key[$0 % 4] }
        let isASCII = bytes.withUnsafeMutableBytes { Masking.apply(key: Self.word, to: $0) }
        if isASCII != (odd < 0) {
          Issue.record("count \(count), octet \(odd)")
          return
        }
      }
    }
  }
}
