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
  private let sendHighWatermark: Int

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

  /// Sends a message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  public nonisolated(nonsending) func send(_ message: WebSocketMessage) async throws(WebSocketError) {
    switch message {
    case .text(let text): try await send(text)
    case .binary(let bytes): try await send(bytes)
    }
  }

  /// Sends a text message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  public nonisolated(nonsending) func send(_ text: String) async throws(WebSocketError) {
    guard loop.isCurrent else { return try await finishSending(await onLoop { $0.connection.send(text) }) }
    let isSent = connection.send(text)
    if !isSent || connection.bufferedByteCount > sendHighWatermark { try await finishSending(isSent) }
  }

  /// Sends a binary message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  public nonisolated(nonsending) func send(_ bytes: [UInt8]) async throws(WebSocketError) {
    guard loop.isCurrent else {
      return try await finishSending(
        await onLoop { socket in bytes.withUnsafeBytes { socket.connection.send($0, .binary) } })
    }
    let isSent = bytes.withUnsafeBytes { connection.send($0, .binary) }
    if !isSent || connection.bufferedByteCount > sendHighWatermark { try await finishSending(isSent) }
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

  /// Waits while too much is queued. A whole message also waits, if much is held like it, for the end of a message in
  /// pieces; a piece of that message does not, or the end would never come.
  nonisolated(nonsending) func finishSending(
    _ isSent: Bool, isPiece: Bool = false
  ) async throws(WebSocketError) {
    guard isSent else { throw WebSocketError(.notOpen, "The connection is not open.") }
    while !loop.isCurrent || connection.bufferedByteCount > sendHighWatermark {
      let isRoom = await withUnsafeContinuation { signal in
        if loop.isCurrent {
          waitForRoom(signal, isPiece)
        } else {
          loop.execute { self.waitForRoom(signal, isPiece) }
        }
      }
      if isRoom { return }
    }
  }

  /// Offers the kernel what is queued. Resumes the sender with true at once if little enough is left, or with false when
  /// there is reason to look again.
  private func waitForRoom(_ signal: WebSocketInbox.RoomSignal, _ isPiece: Bool) {
    let isHeld = !isPiece && connection.heldByteCount > sendHighWatermark
    if connection.isBackedUp(beyond: sendHighWatermark) || isHeld {
      inbox.whenDrained(signal)
    } else {
      signal.resume(returning: true)
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

extension WebSocket: AsyncSequence {
  /// Iterates over the messages; see ``WebSocket``.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let socket: WebSocket

    /// The next message, or nil at the end of a normal closure or when the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(WebSocketError) -> WebSocketMessage? {
      switch try await socket.nextItem() {
      case nil: nil
      case .message(let message): message
      case .fragment(let fragment): try await socket.assembleMessage(beginningWith: fragment)
      }
    }
  }

  /// A message.
  public typealias Element = WebSocketMessage
  /// Why the iteration ended otherwise than normally.
  public typealias Failure = WebSocketError

  /// An iterator; one at a time.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(socket: self)
  }
}

extension WebSocket {
  /// What arrives next, whole or in pieces; nil at the end of a normal closure or when the task is cancelled.
  func nextItem(
    isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> WebSocketInbox.Item? {
    if loop.isCurrent {
      if let result = inbox.takeNow() { return try result.get() }
      if inbox.isServedByCurrentTask, !Task.isCancelled {
        return try await withUnsafeContinuation { inbox.take($0, ticket: 0) }.get()
      }
    }
    return try await inbox.nextItem(on: loop)
  }

  /// The whole message whose first piece has been taken.
  func assembleMessage(
    beginningWith first: WebSocketFragment, isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> WebSocketMessage? {
    var parts = WebSocketAssembly(limit: connection.options.limits.maximumMessageBytes)
    var fragment = first
    while true {
      guard parts.append(fragment) else { throw await refuseLargeMessage() }
      if let message = parts.message { return message }
      switch try await nextItem() {
      case nil: return nil
      case .message(let message): return message
      case .fragment(let next): fragment = next
      }
    }
  }

  /// Whole messages were asked of a socket that has them in pieces, and one is larger than the limit for those.
  func refuseLargeMessage() async -> WebSocketError {
    let reason = "The message is too big."
    await onLoop { $0.connection.close(code: .messageTooBig, reason: reason) }
    return WebSocketError(.closedAbnormally, reason, closeCode: .messageTooBig)
  }
}

/// Puts pieces together, up to a limit.
private struct WebSocketAssembly {
  let limit: Int
  private var bytes: [UInt8] = []
  private(set) var message: WebSocketMessage?

  init(limit: Int) { self.limit = limit }

  /// False if the message is too large.
  mutating func append(_ fragment: WebSocketFragment) -> Bool {
    guard fragment.bytes.count <= limit - bytes.count else { return false }
    if bytes.isEmpty { bytes = fragment.bytes } else { bytes += fragment.bytes }
    guard fragment.isFinal else { return true }
    message = fragment.kind == .text ? .text(String(decoding: bytes, as: UTF8.self)) : .binary(bytes)
    return true
  }
}
