/// What a peer did wrong; the connection is to be failed with ``closeCode`` (RFC 6455 §7.1.7).
public struct ProtocolViolation: Error, Hashable, Sendable, CustomStringConvertible {
  /// The close code to send.
  public let closeCode: CloseCode
  /// One sentence for the close frame's reason: at most 123 bytes.
  public let description: String

  init(_ closeCode: CloseCode, _ description: String) {
    self.closeCode = closeCode
    self.description = description
  }

  @usableFromInline static let reservedBit = Self(.protocolError, "A reserved bit is set.")
  @usableFromInline static let reservedOpcode = Self(.protocolError, "The opcode is reserved.")
  @usableFromInline static let unmasked = Self(.protocolError, "A client's frame must be masked.")
  @usableFromInline static let masked = Self(.protocolError, "A server's frame must not be masked.")
  @usableFromInline static let fragmentedControl = Self(
    .protocolError, "A control frame must not be fragmented.")
  @usableFromInline static let longControl = Self(
    .protocolError, "A control frame carries at most 125 bytes.")
  @usableFromInline static let lengthNotMinimal = Self(
    .protocolError, "The payload length is not in its shortest form.")
  @usableFromInline static let lengthTooLarge = Self(
    .protocolError, "The payload length has its highest bit set.")
  static let strayContinuation = Self(.protocolError, "There is no message to continue.")
  static let interruptedMessage = Self(.protocolError, "A new message began inside a fragmented one.")
  static let shortClose = Self(.protocolError, "A close frame's payload has no room for its code.")
  static let badCloseCode = Self(.protocolError, "The close code must not be sent.")
  static let badCloseReason = Self(.invalidPayload, "The close reason is not UTF-8.")
  @usableFromInline static let badText = Self(.invalidPayload, "The text is not UTF-8.")
  static let badDeflate = Self(.invalidPayload, "The compressed message is not valid deflate data.")
  static let messageTooBig = Self(.messageTooBig, "The message is too big.")
  static let tooManyFragments = Self(.policyViolation, "The message has too many fragments.")
}
