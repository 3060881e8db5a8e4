/// What a frame carries (RFC 6455 §5.2, §11.8).
public enum Opcode: UInt8, Sendable {
  /// A further fragment of a message.
  case continuation = 0x0
  /// A text message, or its first fragment.
  case text = 0x1
  /// A binary message, or its first fragment.
  case binary = 0x2
  /// The closing handshake.
  case close = 0x8
  /// A heartbeat's question.
  case ping = 0x9
  /// A heartbeat's answer.
  case pong = 0xA

  /// RFC 6455 §5.5: "Control frames are identified by opcodes where the most significant bit of the opcode is 1."
  @inlinable
  public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Whether a message is text or binary.
public enum MessageKind: Sendable, Hashable {
  /// UTF-8.
  case text
  /// Any bytes.
  case binary
}

/// Which end of the connection we are.
public enum WebSocketRole: Sendable, Hashable {
  /// Receives masked frames, sends unmasked ones.
  case server
  /// Receives unmasked frames, sends masked ones.
  case client
}
