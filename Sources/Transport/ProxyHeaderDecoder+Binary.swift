import EventLoops

/// Version 2 (§2.2): 12 bytes of signature, version and command, family and transport, length; addresses; TLVs.
extension ProxyHeaderDecoder {
  private static let checksumType: UInt8 = 0x03

  static func decodeBinary(_ bytes: UnsafeRawBufferPointer) throws(ProxyHeaderError) -> Result {
    guard bytes[12] >> 4 == 2 else { throw .malformed }
    let length = Int(bytes.bigEndian(at: 14, as: UInt16.self))
    guard length <= maximumBinaryByteCount else { throw .tooLong }
    let isLocal = bytes[12] & 15 == 0
    guard isLocal || bytes[12] & 15 == 1 else { throw .unsupported }
    let family = bytes[13]
    guard isLocal || [0x00, 0x11, 0x21, 0x31].contains(family) else { throw .unsupported }
    let count = 16 + length
    guard bytes.count >= count else { return .incomplete }
    // "The receiver must … discard the protocol block including the family" for LOCAL, and all addresses of UNSPEC.
    if isLocal || family == 0x00 { return .complete(ProxyHeader(), byteCount: count) }
    let whole = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    let (header, end) = try addresses(whole, family)
    try checkVectors(whole, from: end)
    return .complete(header, byteCount: count)
  }

  private static func addresses(
    _ bytes: UnsafeRawBufferPointer, _ family: UInt8
  ) throws(ProxyHeaderError) -> (ProxyHeader, end: Int) {
    let end = 16 + (family == 0x11 ? 12 : family == 0x21 ? 36 : 216)
    guard bytes.count >= end else { throw .malformed }
    switch family {
    case 0x11:
      let ports = (bytes.bigEndian(at: 24, as: UInt16.self), bytes.bigEndian(at: 26, as: UInt16.self))
      return (
        ProxyHeader(
          source: .ipv4(bytes.bigEndian(at: 16, as: UInt32.self), port: ports.0),
          destination: .ipv4(bytes.bigEndian(at: 20, as: UInt32.self), port: ports.1)), end
      )
    case 0x21:
      return (ProxyHeader(source: ipv6(bytes, 16, 48), destination: ipv6(bytes, 32, 50)), end)
    default:
      return (ProxyHeader(source: unix(bytes, 16), destination: unix(bytes, 124)), end)
    }
  }

  private static func ipv6(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ port: Int) -> SocketAddress {
    .ipv6(
      bytes.bigEndian(at: start, as: UInt64.self), bytes.bigEndian(at: start + 8, as: UInt64.self), scope: 0,
      port: bytes.bigEndian(at: port, as: UInt16.self))
  }

  private static func unix(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> SocketAddress {
    .unix(String(decoding: bytes[start..<(start + 108)].prefix { $0 != 0 }, as: UTF8.self))
  }

  // MARK: type-length-value vectors

  /// Vectors are skipped; the checksum is verified where there is one (§2.2.3: "must verify").
  private static func checkVectors(
    _ bytes: UnsafeRawBufferPointer, from start: Int
  ) throws(ProxyHeaderError) {
    var at = start
    var isChecked = false
    while at < bytes.count {
      guard bytes.count - at >= 3 else { throw .malformed }
      let length = Int(bytes.bigEndian(at: at + 1, as: UInt16.self))
      guard bytes.count - at - 3 >= length else { throw .malformed }
      if bytes[at] == checksumType {
        // Once: hundreds of them would be hundreds of walks over all bytes.
        guard length == 4, !isChecked else { throw .malformed }
        isChecked = true
        let stated = bytes.bigEndian(at: at + 3, as: UInt32.self)
        guard checksum(bytes, zeroing: (at + 3)..<(at + 7)) == stated else { throw .badChecksum }
      }
      at += 3 + length
    }
  }

  /// CRC-32C (RFC 4960 appendix B), bit by bit: at most 2 KiB, once a connection. The checksum's own bytes count as 0.
  static func checksum(_ bytes: UnsafeRawBufferPointer, zeroing own: Range<Int>) -> UInt32 {
    var remainder = UInt32.max
    for index in bytes.indices {
      remainder ^= own.contains(index) ? 0 : UInt32(bytes[index])
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~remainder
  }
}

extension UnsafeRawBufferPointer {
  /// An integer in network byte order; the caller has checked that it is there.
  fileprivate func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}
