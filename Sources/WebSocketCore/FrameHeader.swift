/// The header of a frame (RFC 6455 §5.2).
public struct FrameHeader: Hashable, Sendable {
  /// The most bytes a header takes.
  public static let maximumCount = 14

  /// FIN: this is the last fragment of its message.
  public var isFinal: Bool
  /// RSV1: the message is compressed (RFC 7692 §6), where that was negotiated.
  public var rsv1: Bool
  /// What the frame carries.
  public var opcode: Opcode
  /// The length of the payload in bytes, below 2^63.
  public var payloadLength: UInt64
  /// The masking key as it lies in memory; nil if the frame is not masked.
  public var maskingKey: UInt32?

  /// Makes a header.
  @inlinable
  public init(
    isFinal: Bool = true, rsv1: Bool = false, opcode: Opcode, payloadLength: UInt64, maskingKey: UInt32? = nil
  ) {
    self.isFinal = isFinal
    self.rsv1 = rsv1
    self.opcode = opcode
    self.payloadLength = payloadLength
    self.maskingKey = maskingKey
  }

  /// How many bytes the header takes.
  @inlinable
  public var encodedCount: Int {
    (payloadLength < 126 ? 2 : payloadLength <= 0xFFFF ? 4 : 10) + (maskingKey == nil ? 0 : 4)
  }

  /// Writes the header to the start of a buffer with room for ``encodedCount`` bytes, and returns their count.
  @inlinable
  @discardableResult
  public func encode(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = encodedCount
    precondition(buffer.count >= count && payloadLength >> 63 == 0)
    buffer[0] = (isFinal ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode.rawValue
    let mask: UInt8 = maskingKey == nil ? 0 : 0x80
    if payloadLength < 126 {
      buffer[1] = mask | UInt8(truncatingIfNeeded: payloadLength)
    } else if payloadLength <= 0xFFFF {
      buffer[1] = mask | 126
      buffer.storeBytes(
        of: UInt16(truncatingIfNeeded: payloadLength).bigEndian, toByteOffset: 2, as: UInt16.self)
    } else {
      buffer[1] = mask | 127
      buffer.storeBytes(of: payloadLength.bigEndian, toByteOffset: 2, as: UInt64.self)
    }
    if let maskingKey { buffer.storeBytes(of: maskingKey, toByteOffset: count - 4, as: UInt32.self) }
    return count
  }

  /// Parses a header that the given end receives.
  ///
  /// - Parameters:
  ///   - bytes: what has arrived; only the header is looked at.
  ///   - role: the receiving end.
  ///   - permitsRSV1: whether an extension that uses RSV1 was negotiated.
  /// - Returns: nil while the header is not complete.
  /// - Throws: at the first byte that no valid header can have.
  @inlinable
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, receivedBy role: WebSocketRole, permitsRSV1: Bool = false
  ) throws(ProtocolViolation) -> FrameHeader? {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
    let first = start.load(as: UInt8.self)
    guard let opcode = Opcode(rawValue: first & 0x0F), first & (permitsRSV1 ? 0x30 : 0x70) == 0 else {
      throw violation(first: first, permitsRSV1: permitsRSV1)
    }
    let isFinal = first & 0x80 != 0
    // RFC 6455 §5.4: "Control frames themselves MUST NOT be fragmented."
    if opcode.isControl {
      guard isFinal else { throw .fragmentedControl }
      guard first & 0x40 == 0 else { throw .reservedBit }
    }
    guard bytes.count > 1 else { return nil }
    let second = start.load(fromByteOffset: 1, as: UInt8.self)
    // RFC 6455 §5.1: "The server MUST close the connection upon receiving a frame that is not masked. … A client
    // MUST close a connection if it detects a masked frame."
    let isMasked = second & 0x80 != 0
    guard isMasked == (role == .server) else { throw isMasked ? .masked : .unmasked }
    let short = second & 0x7F
    // RFC 6455 §5.5: "All control frames MUST have a payload length of 125 bytes or less".
    guard short <= 125 || !opcode.isControl else { throw .longControl }
    let lengthEnd = short < 126 ? 2 : short == 126 ? 4 : 10
    guard bytes.count >= lengthEnd else {
      // The highest bit of a 64-bit length is in its first byte.
      if short == 127, bytes.count > 2, bytes[2] & 0x80 != 0 { throw .lengthTooLarge }
      return nil
    }
    let length = try payloadLength(short, start)
    let end = isMasked ? lengthEnd &+ 4 : lengthEnd
    guard bytes.count >= end else { return nil }
    let key = isMasked ? start.loadUnaligned(fromByteOffset: lengthEnd, as: UInt32.self) : nil
    return FrameHeader(
      isFinal: isFinal, rsv1: first & 0x40 != 0, opcode: opcode, payloadLength: length, maskingKey: key)
  }

  @inlinable
  static func payloadLength(_ short: UInt8, _ start: UnsafeRawPointer) throws(ProtocolViolation) -> UInt64 {
    // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
    switch short {
    case 126:
      let length = UInt16(bigEndian: start.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      guard length >= 126 else { throw .lengthNotMinimal }
      return UInt64(length)
    case 127:
      let length = UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      // "a 64-bit unsigned integer (the most significant bit MUST be 0)".
      guard length >> 63 == 0 else { throw .lengthTooLarge }
      guard length > 0xFFFF else { throw .lengthNotMinimal }
      return length
    default:
      return UInt64(short)
    }
  }

  @usableFromInline
  static func violation(first: UInt8, permitsRSV1: Bool) -> ProtocolViolation {
    // RFC 6455 §5.2: RSV bits "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
    first & (permitsRSV1 ? 0x30 : 0x70) != 0 ? .reservedBit : .reservedOpcode
  }
}
