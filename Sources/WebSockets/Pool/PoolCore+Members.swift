import EventLoops
import WebSocketCore

extension PoolCore {
  /// Opens connections for those who wait, and up to the minimum.
  func grow() {
    guard !isDraining, backoffTimer == nil else { return }
    let perConnection = max(1, options.maximumRequestsPerConnection)
    let wanted = exclusive.count + (sharing.count + perConnection - 1) / perConnection
    while members.count < maximum, openingCount < wanted || members.count < minimum {
      guard backoffTimer == nil, !isDraining else { return }
      guard open() else { return }
    }
    if openingCount < wanted, !exclusive.isEmpty { retireIdleShared() }
  }

  /// Nobody's replies can be told apart on a shared connection: who wants one alone gets a new one in its place.
  private func retireIdleShared() {
    let member = members.first {
      if case .shared = $0.use { $0.replies.isEmpty && $0.connection?.bufferedByteCount == 0 } else { false }
    }
    guard let member else { return }
    retire(member)
    _ = open()
  }

  /// Begins to open a connection; false if there is nowhere to.
  private func open() -> Bool {
    guard let index = upstreams.selectAny(now: loop.nowMilliseconds, using: &random) else {
      fail(WebSocketError(.invalidURL, "The pool has no URL to connect to."))
      return false
    }
    upstreams.began(index)
    let member = PoolMember(self, endpoint: index)
    members.append(member)
    openingCount += 1
    var connectionOptions = options.connection
    connectionOptions.socket.delivery = .whole
    connectionOptions.socket.keepaliveIntervalMilliseconds = options.healthCheckIntervalMilliseconds
    connectionOptions.socket.pongDeadlineMilliseconds = options.healthCheckDeadlineMilliseconds
    member.attempt = WebSocketClient.connect(
      to: upstreams.endpoints[index].url, on: loop, options: connectionOptions, handler: member
    ) { [self] result in
      member.attempt = nil
      if case .failure(let error) = result { failedToOpen(member, error) }
    }
    return true
  }

  private func failedToOpen(_ member: PoolMember, _ error: WebSocketError) {
    guard case .opening = member.use else { return removeRetired(member) }
    openingCount -= 1
    upstreams.ended(member.endpoint)
    upstreams.failed(member.endpoint, now: loop.nowMilliseconds)
    members.removeAll { $0 === member }
    member.use = .retired
    counters.failed.count()
    couldNotConnect(error)
  }

  /// Waits before the next attempt, unless another upstream may do.
  private func couldNotConnect(_ error: WebSocketError) {
    lastError = error
    failures += 1
    if options.retry.decision(for: error) == .stop { fail(error) }
    if failures % max(1, upstreams.endpoints.count) != 0 { return grow() }
    guard backoffTimer == nil, !isDraining else { return }
    let delay = backoff.nextDelay(using: &random)
    let (sum, overflow) = delay.addingReportingOverflow(options.retry.retryAfterMilliseconds(of: error))
    backoffTimer = loop.schedule(after: overflow ? .max : sum, self, token: Timer.backoff)
  }

  /// Tells all who wait.
  func fail(_ error: WebSocketError) {
    while let waiter = exclusive.removeFirst() ?? sharing.removeFirst() {
      endDeadline(of: waiter.ticket)
      waiter.fail(error)
    }
  }

  func opened(_ member: PoolMember, _ connection: WebSocketConnection) {
    guard case .opening = member.use else { return connection.abort() }
    let now = loop.nowMilliseconds
    openingCount -= 1
    counters.created.count()
    upstreams.succeeded(member.endpoint)
    member.openedAt = now
    member.lastUsed = now
    member.expires = now &+ lifetime()
    if member.expires < now { member.expires = .max }
    member.use = .idle
    idle.append(member)
    maintain(at: due(member))
    serve()
  }

  /// The lifetime of a new connection, by chance a little shorter than the maximum.
  private func lifetime() -> UInt64 {
    let maximum = options.maximumLifetimeMilliseconds
    guard maximum > 0 else { return .max }
    let percent = UInt64(clamping: min(max(0, options.lifetimeJitterPercent), 100))
    let jitter = maximum / 100 * percent + maximum % 100 * percent / 100
    return jitter == 0 ? maximum : maximum - UInt64.random(in: 0...jitter, using: &random)
  }

  /// Takes a connection out of the pool and closes it.
  func retire(_ member: PoolMember) {
    if case .retired = member.use { return }
    if case .opening = member.use { openingCount -= 1 }
    member.use = .retired
    upstreams.ended(member.endpoint)
    members.removeAll { $0 === member }
    idle.removeAll { $0 === member }
    retired.append(member)
    member.attempt?.cancel()
    member.connection?.close()
  }

  /// A connection has ended, whoever wanted it.
  func closed(_ member: PoolMember, code: CloseCode, reason: String) {
    counters.closed.count()
    let use = member.use
    let error = WebSocketError(
      .closedAbnormally, reason.isEmpty ? "The connection was closed." : reason, closeCode: code)
    if case .retired = use { return removeRetired(member) }
    upstreams.ended(member.endpoint)
    members.removeAll { $0 === member }
    idle.removeAll { $0 === member }
    member.use = .retired
    endUse(use, of: member, error)
    let isStable = loop.nowMilliseconds - member.openedAt >= options.backoff.stableMilliseconds
    if member.uses == 0, !isStable {
      // An upstream that takes connections and drops them is not better than one that takes none.
      upstreams.failed(member.endpoint, now: loop.nowMilliseconds)
      couldNotConnect(error)
    }
    signalIfEmpty()
    serve()
  }

  private func endUse(_ use: PoolMember.Use, of member: PoolMember, _ error: WebSocketError) {
    switch use {
    case .leased(let lease):
      leases.ended(member.endpoint)
      lease.closed(error)
    case .request(let ticket, let reply):
      leases.ended(member.endpoint)
      endRequest(ticket)
      reply.resume(returning: .failure(error))
    case .shared:
      let replies = member.replies
      member.replies = [:]
      for (ticket, reply) in replies {
        endRequest(ticket)
        reply.resume(returning: .failure(error))
      }
    case .opening, .idle, .retired:
      break
    }
  }

  private func removeRetired(_ member: PoolMember) {
    retired.removeAll { $0 === member }
    signalIfEmpty()
  }
}
