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
  let connection: WebSocketConnection
  let inbox: WebSocketInbox
  /// `send` waits while more bytes than this are queued.
  let sendHighWatermark: Int
  /// Nil where there is nothing of it.
  private let agreement: Agreement?

  /// Called on the connection's loop.
  init(
    connection: WebSocketConnection, inbox: WebSocketInbox, attachment: (any AnyObject & Sendable)? = nil
  ) {
    self.connection = connection
    self.inbox = inbox
    loop = connection.loop
    sendHighWatermark = connection.options.maximumQueuedBytes / 4
    let hasDetails = attachment != nil || connection.details != nil
    agreement = hasDetails ? Agreement(connection, attachment) : nil
  }

  /// The address of the peer.
  public var peerAddress: SocketAddress { connection.peerAddress }

  /// The subprotocol that was agreed on.
  public var subprotocol: String? { agreement?.subprotocol }

  /// The header fields of the server's response to the opening handshake, `Set-Cookie` among them (client connections;
  /// empty on a server).
  public var responseFields: HTTPFields { agreement?.responseFields ?? HTTPFields() }

  /// What the authentication of the client left here, see ``Authentication``.
  public var attachment: (any AnyObject & Sendable)? { agreement?.attachment }

  /// The close code once the connection has ended, as ``WebSocketHandler/closed(_:code:reason:)`` tells it.
  public nonisolated(nonsending) var closeCode: CloseCode? {
    get async { await onLoop { $0.inbox.extras?.closeCode } }
  }

  /// The close reason once the connection has ended.
  public nonisolated(nonsending) var closeReason: String {
    get async { await onLoop { $0.inbox.extras?.closeReason ?? "" } }
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

/// What the opening handshake ended with, as far as any thread may ask for it.
private final class Agreement: Sendable {
  let subprotocol: String?
  let responseFields: HTTPFields
  let attachment: (any AnyObject & Sendable)?

  init(_ connection: WebSocketConnection, _ attachment: (any AnyObject & Sendable)?) {
    subprotocol = connection.subprotocol
    responseFields = connection.responseFields
    self.attachment = attachment
  }
}
