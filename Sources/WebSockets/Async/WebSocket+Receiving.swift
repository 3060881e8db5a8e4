import EventLoops
import WebSocketCore

extension WebSocket: AsyncSequence {
  /// Iterates over the messages; see ``WebSocket``.
  public struct AsyncIterator: AsyncIteratorProtocol {
    @usableFromInline let socket: WebSocket

    init(socket: WebSocket) { self.socket = socket }

    /// The next message, or nil at the end of a normal closure or when the task is cancelled.
    @inlinable
    public nonisolated(nonsending) mutating func next() async throws(WebSocketError) -> WebSocketMessage? {
      if let message = socket.takeMessage() { return message }
      return try await socket.nextMessage()
    }

    // The caller's isolation comes by `nonsending`: with an isolated parameter the task would look for its executor at the
    // beginning and at the end, also where a message waits.
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    @inlinable
    public nonisolated(nonsending) mutating func next(
      isolation actor: (any Actor)?
    ) async throws(WebSocketError) -> WebSocketMessage? {
      try await next()
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
  /// The next message if it waits already, whole, and this is the loop.
  @usableFromInline
  func takeMessage() -> WebSocketMessage? { loop.isCurrent ? inbox.takeMessage(on: connection) : nil }

  /// The next message, which may come in pieces; nil at the end of a normal closure or when the task is cancelled.
  @usableFromInline
  nonisolated(nonsending) func nextMessage() async throws(WebSocketError) -> WebSocketMessage? {
    if loop.isCurrent, inbox.isServed {
      // As `withUnsafeContinuation`, but the task does not look for its executor before it waits: 300 instructions.
      await _unsafeInheritExecutor_withUnsafeContinuation { inbox.sleep($0) }
      if let message = takeMessage() { return message }
    }
    return try await nextMessageOfAnyTask()
  }

  private nonisolated(nonsending) func nextMessageOfAnyTask() async throws(WebSocketError)
    -> WebSocketMessage?
  {
    switch try await nextItem() {
    case nil: return nil
    case .message(let message): return message
    case .fragment(let fragment): return try await assembleMessage(beginningWith: fragment)
    }
  }

  /// What arrives next, whole or in pieces; nil at the end of a normal closure or when the task is cancelled.
  func nextItem(
    isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> WebSocketInbox.Item? {
    if loop.isCurrent {
      if let result = inbox.takeNow() { return try result.get() }
      if inbox.isServed {
        await withUnsafeContinuation { inbox.sleep($0) }
        if loop.isCurrent, let result = inbox.takeNow() { return try result.get() }
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
