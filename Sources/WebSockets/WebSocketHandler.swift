import EventLoops
import WebSocketCore

/// The synchronous way to use a WebSocket: the connection's event loop calls these methods as things happen.
///
/// One handler may serve any number of connections of one loop or of many; state that belongs to one
/// connection goes into its ``WebSocketConnection/attachment``. Methods run on the connection's loop and must not
/// block it. For one task per connection with `async`/`await` see ``WebSocket``.
open class WebSocketHandler {
  /// Makes a handler that ignores everything.
  public init() {}

  /// The opening handshake has completed; messages may be sent from here on.
  open func opened(_ connection: WebSocketConnection) {}

  /// A whole message arrived.
  ///
  /// - Parameters:
  ///   - message: the payload, unmasked and reassembled, valid until the method returns; text is valid UTF-8.
  ///   - kind: text or binary.
  ///   - connection: the connection that received it.
  open func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {}

  /// A piece of a message arrived, where ``WebSocketOptions/delivery`` asks for fragments.
  ///
  /// Pieces follow the bytes as they arrive, not the peer's frames. Until ``WebSocketConnection/pauseReading()`` is
  /// undone, no further piece comes.
  ///
  /// - Parameters:
  ///   - fragment: the piece, valid until the method returns; a text's may end inside a character.
  ///   - kind: text or binary.
  ///   - isFirst: whether a message begins with it.
  ///   - isFinal: whether the message ends with it; such a piece may be empty.
  ///   - connection: the connection that received it.
  open func receivedFragment(
    _ fragment: UnsafeRawBufferPointer, _ kind: MessageKind, isFirst: Bool, isFinal: Bool,
    on connection: WebSocketConnection
  ) {}

  /// A pong arrived, solicited or not. The loop answers pings by itself.
  open func receivedPong(_ payload: UnsafeRawBufferPointer, on connection: WebSocketConnection) {}

  /// The outbound queue has emptied after the kernel had refused to take more, or after messages had waited in it for the
  /// end of another that was sent in fragments.
  open func drained(_ connection: WebSocketConnection) {}

  /// The connection is gone: always the last call, made exactly once.
  ///
  /// - Parameters:
  ///   - code: the close code that the peer sent, or 1005 when its close frame had none, or 1006 when the
  ///     connection ended without a close frame (RFC 6455 §7.1.5).
  ///   - reason: the peer's close reason, or what went wrong.
  open func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {}

  /// The rest of a read, after `isToLend` was asked for: a task may take messages from it during this call.
  func lend(_ input: inout UnsafeMutableRawBufferPointer, of loop: EventLoop) {}

  /// Something will arrive soon: brings what the handler refers to into the processor's caches.
  func prefetch() {}
}
