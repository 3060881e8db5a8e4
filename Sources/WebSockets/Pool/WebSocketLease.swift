import EventLoops
import WebSocketCore

/// A connection of a pool that is one's own for a time; see ``WebSocketPool/withConnection(timeoutMilliseconds:_:)``.
/// After that time it sends and receives nothing.
public final class WebSocketLease: @unchecked Sendable {
  /// The loop that owns the connection.
  public let loop: EventLoop
  let member: PoolMember
  private let core: PoolCore
  private let inbox: WebSocketInbox
  private var sent = 0
  private var arrived = 0
  private var isDiscarded = false
  private var hasEnded = false

  init(_ member: PoolMember, core: PoolCore) {
    self.member = member
    self.core = core
    loop = core.loop
    inbox = WebSocketInbox(highWatermark: core.options.connection.socket.limits.maximumMessageBytes)
    if let connection = member.connection { inbox.opened(connection) }
  }

  /// Sends a message; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` when the connection or the lease has ended.
  public nonisolated(nonsending) func send(_ message: WebSocketMessage) async throws(WebSocketError) {
    if loop.isCurrent, member.hasRoom, sendNow(message) { return }
    let isSent: Bool = await withUnsafeContinuation { outcome in
      if loop.isCurrent {
        outcome.resume(returning: sendNow(message))
      } else {
        loop.execute { outcome.resume(returning: self.sendNow(message)) }
      }
    }
    guard isSent else {
      throw WebSocketError(.notOpen, "The connection is not open, or not leased any more.")
    }
    await withUnsafeContinuation { (signal: WebSocketInbox.Signal) in
      if loop.isCurrent { waitForRoom(signal) } else { loop.execute { self.waitForRoom(signal) } }
    }
  }

  /// Sends a text message; see ``send(_:)-(WebSocketMessage)``.
  public nonisolated(nonsending) func send(_ text: String) async throws(WebSocketError) {
    try await send(.text(text))
  }

  /// The next message.
  ///
  /// - Throws: ``WebSocketError`` `closedAbnormally` when the connection has ended, with its close code; `notOpen` when the lease
  ///   has; `cancelled` when the task was cancelled.
  public nonisolated(nonsending) func receive() async throws(WebSocketError) -> WebSocketMessage {
    if let message = try await inbox.nextMessage(on: loop) { return message }
    if Task.isCancelled { throw WebSocketError(.cancelled, "The task was cancelled.") }
    throw WebSocketError(.notOpen, "The connection is not leased any more.")
  }

  /// Sends a message and returns the next one.
  ///
  /// - Throws: as ``send(_:)-(WebSocketMessage)`` and ``receive()``.
  public nonisolated(nonsending) func request(
    _ message: WebSocketMessage
  ) async throws(WebSocketError) -> WebSocketMessage {
    try await send(message)
    return try await receive()
  }

  /// Says that the connection must not be used again. Any thread.
  public func discard() {
    loop.execute { self.isDiscarded = true }
  }

  // MARK: On the loop

  private func sendNow(_ message: WebSocketMessage) -> Bool {
    guard !hasEnded, member.send(message) else { return false }
    sent += 1
    return true
  }

  private func waitForRoom(_ signal: WebSocketInbox.Signal) {
    if hasEnded || member.connection == nil || member.hasRoom {
      signal.resume()
    } else {
      member.drainSignals.append(signal)
    }
  }

  func received(_ message: WebSocketMessage) {
    arrived += 1
    inbox.received(message)
  }

  func closed(_ error: WebSocketError) {
    hasEnded = true
    inbox.finish(.failure(error), code: error.closeCode ?? .abnormal, reason: error.message)
  }

  /// Gives the connection back, or up.
  func end(isBroken: Bool) {
    guard !hasEnded else { return }
    hasEnded = true
    let isAnswered = core.options.leaseReuse == .whenRead || arrived >= sent
    let isClean = !isBroken && !isDiscarded && isAnswered && inbox.isEmpty
    inbox.finish(.success(()), code: .normal, reason: "")
    core.end(self, isClean: isClean)
  }
}
