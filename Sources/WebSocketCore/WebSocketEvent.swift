/// What a ``MessageDecoder`` found. Payloads are unmasked and valid until the decoder is called again.
public enum WebSocketEvent {
  /// A whole message; text is valid UTF-8.
  case message(MessageKind, UnsafeRawBufferPointer)
  /// A piece of a message, where pieces were asked for. Pieces follow the bytes as they arrive, not the
  /// peer's fragments; a text's pieces may end inside a character.
  case fragment(MessageKind, UnsafeRawBufferPointer, isFirst: Bool, isFinal: Bool)
  /// A ping, to be answered by a pong with the same payload.
  case ping(UnsafeRawBufferPointer)
  /// A pong.
  case pong(UnsafeRawBufferPointer)
  /// A close frame; nil stands for one without a code. The reason is valid UTF-8.
  case close(CloseCode?, reason: UnsafeRawBufferPointer)
}
