import EventLoops
import Synchronization
import WebSocketCore

private let lastTicket = Atomic<UInt64>(0)

extension WebSocketInbox {
  // MARK: What is here already

  /// Whether everything that came was taken.
  var isEmpty: Bool { first == items.count && handed == nil }

  /// How the connection ended; nil while it has not.
  var ending: Result<Void, WebSocketError>? { extras?.ending }

  /// The next item if it is a message and is here already: in line, or whole in the input that was read.
  func takeMessage(on connection: WebSocketConnection) -> WebSocketMessage? {
    if let message = handed {
      handed = nil
      return message
    }
    guard first < items.count else {
      return lent.flatMap { connection.takeMessage(from: &$0.pointee) }
    }
    guard case .message(let message) = items[Int(first)] else { return nil }
    dropFirst(of: message.byteCount)
    return message
  }

  /// The next item if it is known already what it is: one that waits, nil at the end, or the error that ended it.
  func takeNow() -> Result<Item?, WebSocketError>? {
    if handed != nil || first == items.count {
      if let connection, let message = takeMessage(on: connection) { return .success(.message(message)) }
    }
    guard first < items.count else { return ending.map { $0.map { nil } } }
    let item = items[Int(first)]
    dropFirst(of: item.byteCount)
    return .success(item)
  }

  // MARK: Waiting as the server's own task

  /// The current task is the server's own, which nobody else has a handle of. As nobody can cancel it while it waits, it
  /// waits without a cancellation handler: that costs more than the rest of a wait, and one for all waits 1 KiB.
  func beginServing() {
    servingTask = withUnsafeCurrentTask { $0.map { unsafeBitCast($0, to: UnsafeRawPointer.self) } }
  }

  /// From here on it waits as any other task.
  func endServing() { servingTask = nil }

  /// Whether the server's own task may wait by ``sleep(_:)``.
  var isServed: Bool { servingTask != nil }

  /// Wakes the task when there is something for it, or when nothing more will come. No other than the server's own waits
  /// here, and not if it has cancelled itself.
  func sleep(_ sleeper: Signal) {
    // A continuation is its task, as the runtime has it.
    if servingTask == unsafeBitCast(sleeper, to: UnsafeRawPointer.self), isEmpty, ending == nil,
      !Task.isCancelled
    {
      self.sleeper = sleeper
    } else {
      sleeper.resume()
    }
  }

  // MARK: Waiting as any task

  /// Names a wait. Any thread.
  func makeTicket() -> UInt64 { lastTicket.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Resumes the waiter with the next message, now or when it comes.
  func take(_ waiter: Waiter, ticket: UInt64) {
    if let result = takeNow() {
      waiter.resume(returning: result)
    } else {
      precondition(sleeper == nil, "two tasks iterate over one WebSocket")
      makeExtras().wait(waiter, ticket: ticket)
    }
  }

  /// Ends the wait of a cancelled task.
  func cancelWaiter(ticket: UInt64) { extras?.cancelWaiter(ticket: ticket) }

  /// Waits for the next item; nil at the end of a normal closure or when the task is cancelled. Any thread.
  func nextItem(
    on loop: EventLoop, isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> Item? {
    let ticket = makeTicket()
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { waiter in
        if loop.isCurrent {
          take(waiter, ticket: ticket)
        } else {
          loop.execute { self.take(waiter, ticket: ticket) }
        }
        // A cancellation may have been posted before the waiter was in its place.
        if Task.isCancelled { loop.execute { self.cancelWaiter(ticket: ticket) } }
      }
    } onCancel: {
      loop.execute { self.cancelWaiter(ticket: ticket) }
    }
    return try result.get()
  }

  /// The next item, which must be a message, as ``nextItem(on:isolation:)``.
  func nextMessage(
    on loop: EventLoop, isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> WebSocketMessage? {
    let now = loop.isCurrent ? takeNow() : nil
    let item = if let now { try now.get() } else { try await nextItem(on: loop) }
    guard case .message(let message)? = item else { return nil }
    return message
  }

  // MARK: Waiting for room, and for the end

  func whenDrained(_ signal: RoomSignal) {
    if ending != nil || (connection?.bufferedByteCount ?? 0) == 0 {
      signal.resume(returning: true)
    } else {
      makeExtras().whenDrained(signal)
    }
  }

  func whenClosed(_ signal: Signal) { makeExtras().whenClosed(signal) }

  /// Gives the right to send a message in pieces, first come, first served.
  func whenStreamFree(_ signal: Signal) { makeExtras().whenStreamFree(signal) }

  /// Passes the right on.
  func endStream() { extras?.endStream() }
}
