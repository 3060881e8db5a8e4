import EventLoops
import WebSocketCore

extension ReconnectingWebSocket {
  /// Sends a message, or puts it in the queue while there is no connection. Returns when the message was taken; waits
  /// while the peer takes less than is sent, or as ``ReconnectingWebSocketOptions/overflow`` says.
  ///
  /// - Throws: ``WebSocketError`` `queueFull`; `notOpen` after the end, or why it ended; `cancelled` when the task was
  ///   cancelled while it waited, and then the message is not sent.
  public nonisolated(nonsending) func send(_ message: WebSocketMessage) async throws(WebSocketError) {
    if loop.isCurrent {
      switch core.offer(message) {
      case .accepted: return
      case .refused(let error): throw error
      case .mustWait: break
      }
    }
    try await waiting { core, outcome, ticket in core.send(message, outcome, ticket: ticket) }
  }

  /// Sends a text message; see ``send(_:)-(WebSocketMessage)``.
  public nonisolated(nonsending) func send(_ text: String) async throws(WebSocketError) {
    try await send(.text(text))
  }

  /// Sends a binary message; see ``send(_:)-(WebSocketMessage)``.
  public nonisolated(nonsending) func send(_ bytes: [UInt8]) async throws(WebSocketError) {
    try await send(.binary(bytes))
  }

  /// Sends a message without waiting, for callbacks. One that is not taken is counted as dropped, and `onError` is
  /// called. Any thread; first in, first out for each.
  public func post(_ message: WebSocketMessage) {
    if loop.isCurrent {
      core.post(message)
    } else {
      loop.execute { [core] in core.post(message) }
    }
  }
}

extension ReconnectingWebSocket: AsyncSequence {
  /// Iterates over the messages; see ``ReconnectingWebSocket``.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let socket: ReconnectingWebSocket

    /// The next message, from this connection or a later one; nil at the end, or when the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(WebSocketError) -> WebSocketMessage? {
      try await socket.core.inbox.nextMessage(on: socket.loop)
    }
  }

  /// A message.
  public typealias Element = WebSocketMessage
  /// Why no further attempt is made.
  public typealias Failure = WebSocketError

  /// An iterator; one at a time. Messages go to it unless there is an `onMessage`.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(socket: self) }
}
