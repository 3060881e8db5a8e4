import EventLoops

/// What a proxy says of the connection that it passes on (PROXY protocol versions 1 and 2).
public struct ProxyHeader: Sendable, Hashable {
  /// The client; nil if the proxy speaks for itself (LOCAL) or does not know (UNKNOWN, UNSPEC): the connection's own
  /// peer then counts.
  public var source: SocketAddress?
  /// The address that the client connected to; nil together with `source`.
  public var destination: SocketAddress?

  /// Makes a header.
  public init(source: SocketAddress? = nil, destination: SocketAddress? = nil) {
    self.source = source
    self.destination = destination
  }
}

/// Why a PROXY protocol header is refused.
public enum ProxyHeaderError: Error, Hashable, Sendable {
  /// Longer than 107 bytes in version 1, or more than 2,048 bytes behind the fixed part in version 2.
  case tooLong
  /// Not what the specification says.
  case malformed
  /// A command, family or transport that a stream server has no use for.
  case unsupported
  /// The checksum of version 2 (PP2_TYPE_CRC32C) does not fit.
  case badChecksum
}

/// Decodes the header of the PROXY protocol, versions 1 and 2, as in HAProxy's proxy-protocol.txt.
public enum ProxyHeaderDecoder {
  /// What the bytes so far are.
  public enum Result: Sendable, Hashable {
    /// The beginning of a header.
    case incomplete
    /// A whole header of so many bytes; what follows is the connection's own.
    case complete(ProxyHeader, byteCount: Int)
    /// No header at all.
    case absent
  }

  /// The longest header of version 1 with its end of line (§2.1).
  public static let maximumTextByteCount = 107
  /// The most that may stand behind the 16 bytes of version 2 that every header has.
  public static let maximumBinaryByteCount = 2_048

  private static let textStart = Array("PROXY ".utf8)
  /// `\r\n\r\n\0\r\nQUIT\n`
  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

  /// Looks at everything that has arrived on a connection so far.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(ProxyHeaderError) -> Result {
    if begins(bytes, with: signature) {
      return bytes.count < 16 ? .incomplete : try decodeBinary(bytes)
    }
    if begins(bytes, with: textStart) {
      return bytes.count < textStart.count ? .incomplete : try decodeText(bytes)
    }
    return .absent
  }

  /// Whether the bytes are the beginning of `start`, or go on behind it.
  private static func begins(_ bytes: UnsafeRawBufferPointer, with start: [UInt8]) -> Bool {
    zip(bytes, start).allSatisfy { $0 == $1 }
  }

  // MARK: version 1

  private static func decodeText(_ bytes: UnsafeRawBufferPointer) throws(ProxyHeaderError) -> Result {
    let line = bytes.prefix(maximumTextByteCount)
    guard let end = line.firstIndex(of: 0x0D) else {
      if line.count == maximumTextByteCount { throw .tooLong }
      return .incomplete
    }
    guard end + 2 <= maximumTextByteCount else { throw .tooLong }
    guard end + 1 < bytes.count else { return .incomplete }
    guard bytes[end + 1] == 0x0A else { throw .malformed }
    let words = bytes[textStart.count..<end]
      .split(separator: 0x20, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    // Whatever stands behind UNKNOWN must be ignored.
    if words.first == "UNKNOWN" { return .complete(ProxyHeader(), byteCount: end + 2) }
    guard words.count == 5, let sourcePort = port(words[3]), let destinationPort = port(words[4]),
      let source = address(words[1], sourcePort, words[0]),
      let destination = address(words[2], destinationPort, words[0])
    else { throw .malformed }
    return .complete(ProxyHeader(source: source, destination: destination), byteCount: end + 2)
  }

  private static func address(_ text: String, _ port: UInt16, _ family: String) -> SocketAddress? {
    // Nothing but what an address is written with: no brackets, no scope, no NUL that would end a C string.
    guard text.utf8.allSatisfy({ $0 == 0x2E || $0 == 0x3A || "0123456789abcdefABCDEF".utf8.contains($0) })
    else { return nil }
    let address = SocketAddress(literal: text, port: port)
    switch (family, address) {
    case ("TCP4", .ipv4), ("TCP6", .ipv6): return address
    default: return nil
    }
  }

  /// "Heading zeroes are not permitted in front of numbers" (§2.1).
  private static func port(_ text: String) -> UInt16? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text == "0" || !text.hasPrefix("0") else {
      return nil
    }
    return UInt16(text)
  }
}
