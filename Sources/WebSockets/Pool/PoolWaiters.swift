/// What somebody wants of a pool, and how they are told.
struct PoolWaiter {
  typealias Reply = UnsafeContinuation<Result<WebSocketMessage, WebSocketError>, Never>

  enum Want {
    /// A connection for oneself.
    case lease(UnsafeContinuation<Result<WebSocketLease, WebSocketError>, Never>)
    /// A message out, the next one in.
    case request(WebSocketMessage, Reply)
    /// A message out, that with its number in; others may be under way.
    case numbered(@Sendable (UInt64) -> WebSocketMessage, Reply)
    /// A message out.
    case send(WebSocketMessage, UnsafeContinuation<WebSocketError?, Never>)
  }

  let ticket: UInt64
  let want: Want

  /// Whether the connection must not be shared.
  var isExclusive: Bool {
    switch want {
    case .lease, .request: true
    case .numbered, .send: false
    }
  }

  func fail(_ error: WebSocketError) {
    switch want {
    case .lease(let outcome): outcome.resume(returning: .failure(error))
    case .request(_, let outcome), .numbered(_, let outcome): outcome.resume(returning: .failure(error))
    case .send(_, let outcome): outcome.resume(returning: error)
    }
  }
}

/// Those who wait, first in, first out.
struct PoolWaiters {
  private var waiters: [PoolWaiter?] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The one who waits longest.
  var first: PoolWaiter? { isEmpty ? nil : waiters[head] }

  mutating func append(_ waiter: PoolWaiter) {
    waiters.append(waiter)
    count += 1
  }

  @discardableResult
  mutating func removeFirst() -> PoolWaiter? {
    guard let waiter = first else { return nil }
    waiters[head] = nil
    count -= 1
    skipGone()
    return waiter
  }

  /// Takes out one who does not wait any more.
  mutating func remove(ticket: UInt64) -> PoolWaiter? {
    guard let index = waiters[head...].firstIndex(where: { $0?.ticket == ticket }) else { return nil }
    let waiter = waiters[index]
    waiters[index] = nil
    count -= 1
    skipGone()
    return waiter
  }

  private mutating func skipGone() {
    while head < waiters.count, waiters[head] == nil { head += 1 }
    if head == waiters.count {
      waiters.removeAll(keepingCapacity: waiters.capacity <= 64)
      head = 0
    } else if head >= 16, head * 2 >= waiters.count {
      waiters.removeFirst(head)
      head = 0
    }
  }
}
