import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// A WebSocket for `async`/`await`: send, and iterate over the messages that arrive.
///
/// ```swift
/// for try await message in socket { try await socket.send(message) }
/// ```
///
/// A normal closure (1000, 1001, or none given) ends the iteration, any other throws a ``WebSocketError``. When the task
/// falls behind, reading stops and the peer is held back. One task may iterate at a time; any number may send.
public final class WebSocket: Sendable {
  /// The loop that owns the connection; tasks that prefer it as executor use the socket without a thread hop.
  public let loop: EventLoop
  /// The address of the peer.
  public let peerAddress: SocketAddress
  /// The subprotocol that was agreed on.
  public let subprotocol: String?
  /// The header fields of the server's response to the opening handshake, `Set-Cookie` among them (client connections;
  /// empty on a server).
  public let responseFields: HTTPFields
  /// What the authentication of the client left here, see ``Authentication``.
  public let attachment: (any AnyObject & Sendable)?
  let connection: WebSocketConnection
  let inbox: WebSocketInbox
  /// `send` waits while more bytes than this are queued.
  let sendHighWatermark: Int

  /// Called on the connection's loop.
  init(
    connection: WebSocketConnection, inbox: WebSocketInbox, attachment: (any AnyObject & Sendable)? = nil
  ) {
    self.attachment = attachment
    self.connection = connection
    self.inbox = inbox
    loop = connection.loop
    peerAddress = connection.peerAddress
    subprotocol = connection.subprotocol
    responseFields = connection.responseFields
    sendHighWatermark = connection.options.maximumQueuedBytes / 4
  }

  /// The close code once the connection has ended, as ``WebSocketHandler/closed(_:code:reason:)`` tells it.
  public nonisolated(nonsending) var closeCode: CloseCode? {
    get async { await onLoop { $0.inbox.closeCode } }
  }

  /// The close reason once the connection has ended.
  public nonisolated(nonsending) var closeReason: String {
    get async { await onLoop { $0.inbox.closeReason } }
  }

  /// Sends a ping; the pong is counted as a sign of life by the heartbeat.
  public nonisolated(nonsending) func ping() async {
    await onLoop { $0.connection.ping() }
  }

  /// Completes the closing handshake and returns when the connection is gone, at the latest after the close
  /// timeout of the options.
  ///
  /// - Parameters:
  ///   - code: a code that may be sent (1000, 3000–4999, …).
  ///   - reason: at most 123 bytes of UTF-8.
  public nonisolated(nonsending) func close(code: CloseCode = .normal, reason: String = "") async {
    await withUnsafeContinuation { signal in
      loop.execute { [self] in
        connection.close(code: code, reason: reason)
        inbox.whenClosed(signal)
      }
    }
  }

  /// Runs something on the loop, at once if this is it.
  nonisolated(nonsending) func onLoop<T: Sendable>(_ body: @escaping @Sendable (WebSocket) -> T) async -> T {
    if loop.isCurrent { return body(self) }
    return await withUnsafeContinuation { continuation in
      loop.execute { continuation.resume(returning: body(self)) }
    }
  }
}
