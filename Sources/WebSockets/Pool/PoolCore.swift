import EventLoops
import WebSocketCore

/// A ``WebSocketPool`` on its loop: connections, and who waits for them. Loop-confined.
final class PoolCore: @unchecked Sendable {
  /// Tokens of timers; all others are tickets.
  enum Timer {
    static let maintenance: UInt64 = .max
    static let backoff: UInt64 = .max - 1
    static let grace: UInt64 = .max - 2
  }

  let loop: EventLoop
  let options: WebSocketPoolOptions
  let counters = WebSocketPoolCounters()
  var random: any RandomNumberGenerator & Sendable
  /// Chooses where new connections go; load is the number of connections.
  var upstreams: EndpointSelector
  /// Chooses whose idle connection is used; load is the number of leases.
  var leases: EndpointSelector
  var backoff: Backoff
  /// Attempts that failed in a row.
  var failures = 0
  var lastError: WebSocketError?

  /// Open and opening connections that are in use or may be used.
  var members: [PoolMember] = []
  /// Those among them that are idle; the last one was used last.
  var idle: [PoolMember] = []
  /// Connections that are being closed.
  var retired: [PoolMember] = []
  var openingCount = 0
  var exclusive = PoolWaiters()
  var sharing = PoolWaiters()
  /// Requests under way, by ticket.
  var underWay: [UInt64: PoolMember] = [:]
  /// Timers of those who wait and of requests, by ticket.
  var deadlines: [UInt64: TimerID] = [:]
  var maintenanceTimer = TimerID.none
  var maintenanceAt: UInt64 = .max
  var backoffTimer: TimerID?
  var graceTimer = TimerID.none
  var isDraining = false
  var drainSignals: [WebSocketInbox.Signal] = []

  init(
    _ endpoints: [EndpointSelector.Endpoint], options: WebSocketPoolOptions, loop: EventLoop,
    random: any RandomNumberGenerator & Sendable
  ) {
    self.loop = loop
    self.options = options
    self.random = random
    backoff = options.backoff
    upstreams = EndpointSelector(endpoints, strategy: options.selection, health: options.health)
    leases = EndpointSelector(
      endpoints, strategy: options.selection, health: EndpointSelector.Health(maximumFailures: 0))
  }

  var maximum: Int { max(1, options.maximumConnections) }
  var minimum: Int { min(max(0, options.minimumConnections), maximum) }

  // MARK: Who wants something

  /// Gives it to them now, or when it is their turn.
  func want(_ waiter: PoolWaiter, timeoutMilliseconds: UInt64?) {
    guard !isDraining else { return waiter.fail(Self.poolClosed) }
    if waiter.isExclusive ? exclusive.isEmpty : sharing.isEmpty, let member = take(for: waiter) {
      return begin(waiter, on: member)
    }
    guard exclusive.count + sharing.count < options.maximumWaiters else {
      counters.refused.count()
      return waiter.fail(WebSocketError(.queueFull, "Too many wait for a connection of the pool."))
    }
    counters.waited.count()
    deadlines[waiter.ticket] = loop.schedule(
      after: timeoutMilliseconds ?? options.acquireTimeoutMilliseconds, self, token: waiter.ticket)
    if waiter.isExclusive { exclusive.append(waiter) } else { sharing.append(waiter) }
    grow()
  }

  static var poolClosed: WebSocketError { WebSocketError(.poolClosed, "The pool has been shut down.") }

  /// Serves those who wait: of the two kinds each in its order, and the older first.
  func serve() {
    var isExclusiveBlocked = false
    var isSharingBlocked = false
    while true {
      let one = isExclusiveBlocked ? nil : exclusive.first
      let other = isSharingBlocked ? nil : sharing.first
      let isExclusive = one.map { one in other.map { one.ticket < $0.ticket } ?? true } ?? false
      guard let waiter = isExclusive ? one : other else { break }
      guard let member = take(for: waiter) else {
        if isExclusive { isExclusiveBlocked = true } else { isSharingBlocked = true }
        continue
      }
      if isExclusive { exclusive.removeFirst() } else { sharing.removeFirst() }
      endDeadline(of: waiter.ticket)
      begin(waiter, on: member)
    }
    grow()
  }

  func endDeadline(of ticket: UInt64) {
    if let timer = deadlines.removeValue(forKey: ticket) { loop.cancel(timer) }
  }

  /// The task does not want it any more.
  func cancel(ticket: UInt64) {
    end(ticket: ticket, WebSocketError(.cancelled, "The task was cancelled."))
  }

  /// Ends a wait, or a request under way. Nobody knows whether the reply to it is still to come: a connection that was its own
  /// is given up.
  private func end(ticket: UInt64, _ error: WebSocketError) {
    endDeadline(of: ticket)
    if let waiter = exclusive.remove(ticket: ticket) ?? sharing.remove(ticket: ticket) {
      return waiter.fail(error)
    }
    guard let member = underWay.removeValue(forKey: ticket) else { return }
    switch member.use {
    case .request(_, let reply):
      discard(member)
      reply.resume(returning: .failure(error))
      serve()
    case .shared:
      let reply = member.replies.removeValue(forKey: ticket)
      reply?.resume(returning: .failure(error))
      released(member)
    case .opening, .idle, .leased, .retired:
      break
    }
  }
}

extension PoolCore: TimerTarget {
  func timerFired(_ token: UInt64) {
    switch token {
    case Timer.maintenance:
      maintenanceAt = .max
      maintain()
    case Timer.backoff:
      backoffTimer = nil
      grow()
    case Timer.grace:
      for member in members + retired { member.connection?.abort() }
    default:
      deadlines[token] = nil
      counters.timedOut.count()
      let isUnderWay = underWay[token] != nil
      let message = isUnderWay ? "No reply came in time." : "No connection of the pool was free in time."
      end(ticket: token, WebSocketError(.timedOut, message, cause: isUnderWay ? nil : lastError))
    }
  }
}
