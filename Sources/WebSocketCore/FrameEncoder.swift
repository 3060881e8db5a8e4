import Bytes

/// Whole frames.
public enum FrameEncoder {
  /// How many bytes a frame takes.
  public static func encodedCount(payloadCount: Int, masked: Bool) -> Int {
    payloadCount + (payloadCount < 126 ? 2 : payloadCount <= 0xFFFF ? 4 : 10) + (masked ? 4 : 0)
  }

  /// Writes a frame to the start of a buffer with room for it, and returns its size in bytes.
  ///
  /// - Parameters:
  ///   - opcode: what the frame carries.
  ///   - isFinal: whether it is the last fragment of its message.
  ///   - payload: at most 125 bytes for a control frame.
  ///   - isCompressed: whether the payload is compressed, and the frame the first of its message (RFC 7692 §6).
  ///   - maskingKey: a client's fresh random key (RFC 6455 §5.3); nil for a server.
  ///   - buffer: room for ``encodedCount(payloadCount:masked:)`` bytes.
  public static func encode(
    opcode: Opcode, isFinal: Bool = true, payload: UnsafeRawBufferPointer, isCompressed: Bool = false,
    maskingKey: UInt32? = nil, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    precondition(!opcode.isControl || (isFinal && payload.count <= 125))
    let header = FrameHeader(
      isFinal: isFinal, rsv1: isCompressed, opcode: opcode, payloadLength: UInt64(payload.count),
      maskingKey: maskingKey)
    let start = header.encode(into: buffer)
    let body = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + payload.count)])
    body.copyMemory(from: payload)
    if let maskingKey { Masking.apply(key: maskingKey, to: body) }
    return start + payload.count
  }

  /// A server's frame, made once for any number of connections.
  public static func serverFrame(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isCompressed: Bool = false
  ) -> SharedBytes {
    SharedBytes.make(capacity: encodedCount(payloadCount: payload.count, masked: false)) {
      encode(opcode: opcode, payload: payload, isCompressed: isCompressed, into: $0)
    }
  }
}
