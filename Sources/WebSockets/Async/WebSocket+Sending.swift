import WebSocketCore

// What an application calls for each message is inlined into it, up to the point where it has to wait: a call that may
// suspend costs three times as much as the rest, even if it does not suspend, because the task asks the runtime for its
// executor, under a lock, when such a call begins and when it returns.

extension WebSocket {
  /// Sends a message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  @inlinable
  public nonisolated(nonsending) func send(_ message: WebSocketMessage) async throws(WebSocketError) {
    let attempt = sendNow(message)
    if attempt != .done { try await finish(attempt, message) }
  }

  /// Sends a text message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  @inlinable
  public nonisolated(nonsending) func send(_ text: String) async throws(WebSocketError) {
    try await send(.text(text))
  }

  /// Sends a binary message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  @inlinable
  public nonisolated(nonsending) func send(_ bytes: [UInt8]) async throws(WebSocketError) {
    try await send(.binary(bytes))
  }

  /// What became of a message without waiting.
  @usableFromInline
  enum SendAttempt {
    /// Sent, and there is room for more.
    case done
    /// Sent, and there is none.
    case mustWait
    case notOpen
    /// Not tried: this is not the loop.
    case isElsewhere
  }

  /// Sends if this is the loop.
  @usableFromInline
  func sendNow(_ message: WebSocketMessage) -> SendAttempt {
    guard loop.isCurrent else { return .isElsewhere }
    guard connection.send(message) else { return .notOpen }
    return (connection.bufferedByteCount <= sendHighWatermark) ? .done : .mustWait
  }

  /// What `sendNow` has left to do.
  @usableFromInline
  nonisolated(nonsending) func finish(
    _ attempt: SendAttempt, _ message: WebSocketMessage
  ) async throws(WebSocketError) {
    let isSent = attempt == .isElsewhere ? await onLoop { $0.connection.send(message) } : attempt != .notOpen
    try await finishSending(isSent)
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
}
