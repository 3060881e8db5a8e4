import EventLoops
import WebSocketCore

extension PoolCore {
  /// A connection for them, if there is one.
  func take(for waiter: PoolWaiter) -> PoolMember? {
    waiter.isExclusive ? takeIdle() : takeShared()
  }

  /// Of the upstream that the strategy chooses among those with idle connections, the one used last.
  private func takeIdle() -> PoolMember? {
    idle.removeAll { !($0.connection?.isOpen ?? false) }
    let isSingle = upstreams.endpoints.count == 1
    guard !idle.isEmpty else { return nil }
    let chosen =
      isSingle
      ? 0
      : leases.select(now: loop.nowMilliseconds, using: &random) { endpoint in
        idle.contains { $0.endpoint == endpoint }
      }
    guard let index = idle.lastIndex(where: { $0.endpoint == chosen }) else { return nil }
    return idle.remove(at: index)
  }

  /// The shared connection with the least to do; another one is shared only when all have enough.
  private func takeShared() -> PoolMember? {
    var best: PoolMember?
    for member in members {
      guard case .shared = member.use, member.hasRoom, member.expires > loop.nowMilliseconds,
        member.replies.count < options.maximumRequestsPerConnection
      else { continue }
      if best.map({ load(member) < load($0) }) ?? true { best = member }
    }
    return best ?? takeIdle()
  }

  private func load(_ member: PoolMember) -> (Int, Int) {
    (member.replies.count, member.connection?.bufferedByteCount ?? 0)
  }

  /// Uses a connection for what they want.
  func begin(_ waiter: PoolWaiter, on member: PoolMember) {
    if member.uses > 0 { counters.reused.count() }
    member.uses += 1
    member.lastUsed = loop.nowMilliseconds
    switch waiter.want {
    case .lease(let outcome):
      leases.began(member.endpoint)
      let lease = WebSocketLease(member, core: self)
      member.use = .leased(lease)
      outcome.resume(returning: .success(lease))
    case .request(let message, let reply):
      leases.began(member.endpoint)
      member.use = .request(ticket: waiter.ticket, reply)
      expectReply(waiter.ticket, on: member)
      if !member.send(message) { member.connection?.abort() }
    case .numbered(let make, let reply):
      member.use = .shared
      member.replies[waiter.ticket] = reply
      expectReply(waiter.ticket, on: member)
      if !member.send(make(waiter.ticket)) { member.connection?.abort() }
    case .send(let message, let outcome):
      member.use = .shared
      let isSent = member.send(message)
      outcome.resume(returning: isSent ? nil : WebSocketError(.notOpen, "The connection is not open."))
    }
  }

  private func expectReply(_ ticket: UInt64, on member: PoolMember) {
    underWay[ticket] = member
    deadlines[ticket] = loop.schedule(after: options.requestTimeoutMilliseconds, self, token: ticket)
  }

  func received(_ message: WebSocketMessage, on member: PoolMember) {
    switch member.use {
    case .leased(let lease):
      lease.received(message)
    case .request(let ticket, let reply):
      endRequest(ticket)
      release(member)
      reply.resume(returning: .success(message))
      serve()
    case .shared:
      guard let number = options.correlation?(message),
        let reply = member.replies.removeValue(forKey: number)
      else { return counters.unmatched.count() }
      endRequest(number)
      reply.resume(returning: .success(message))
      released(member)
    case .idle:
      // Perhaps the late reply to what somebody else has asked: the next user must not take it for theirs.
      counters.unmatched.count()
      discard(member)
      serve()
    case .opening, .retired:
      break
    }
  }

  func endRequest(_ ticket: UInt64) {
    underWay[ticket] = nil
    endDeadline(of: ticket)
  }

  /// The lease has ended.
  func end(_ lease: WebSocketLease, isClean: Bool) {
    let member = lease.member
    guard case .leased(let current) = member.use, current === lease else { return }
    if isClean { release(member) } else { discard(member) }
    serve()
  }

  /// An exclusive use has ended well.
  private func release(_ member: PoolMember) {
    leases.ended(member.endpoint)
    failures = 0
    backoff.reset()
    member.lastUsed = loop.nowMilliseconds
    guard let connection = member.connection, connection.isOpen, !isDraining,
      member.expires > loop.nowMilliseconds
    else { return retire(member) }
    member.use = .idle
    idle.append(member)
    maintain(at: due(member))
  }

  /// One of the uses of a shared connection has ended.
  func released(_ member: PoolMember) {
    failures = 0
    backoff.reset()
    member.lastUsed = loop.nowMilliseconds
    let isOver = isDraining || member.expires <= loop.nowMilliseconds
    if member.replies.isEmpty {
      if isOver { retire(member) } else { maintain(at: due(member)) }
    }
    serve()
  }

  /// A connection that might give its next user what is another's.
  func discard(_ member: PoolMember) {
    counters.discarded.count()
    switch member.use {
    case .leased, .request: leases.ended(member.endpoint)
    default: break
    }
    retire(member)
  }
}
