import EventLoops
import WebSocketCore

extension PoolCore {
  /// When an unused connection is to be looked at.
  func due(_ member: PoolMember) -> UInt64 {
    guard options.idleTimeoutMilliseconds > 0 else { return member.expires }
    let (idle, overflow) = member.lastUsed.addingReportingOverflow(options.idleTimeoutMilliseconds)
    return overflow ? member.expires : min(member.expires, idle)
  }

  func maintain(at time: UInt64) {
    guard time < maintenanceAt else { return }
    loop.cancel(maintenanceTimer)
    maintenanceAt = time
    let now = loop.nowMilliseconds
    let delay = time > now ? time - now : 0
    maintenanceTimer = loop.schedule(after: delay, self, token: Timer.maintenance)
  }

  /// Closes what has been unused for too long, or lives for too long. What is in use is looked at when that ends.
  func maintain() {
    let now = loop.nowMilliseconds
    for member in members where isUnused(member) {
      if member.expires <= now || (due(member) <= now && members.count > minimum) { retire(member) }
    }
    // What stays though it is due stays for the minimum; it is looked at again in its time.
    let next = members.filter(isUnused).map {
      due($0) > now ? due($0) : max(now + 1, min($0.expires, later(now)))
    }.min()
    if let next, next < .max { maintain(at: next) }
    serve()
  }

  private func isUnused(_ member: PoolMember) -> Bool {
    switch member.use {
    case .idle: true
    case .shared: member.replies.isEmpty
    case .opening, .leased, .request, .retired: false
    }
  }

  private func later(_ now: UInt64) -> UInt64 { now &+ max(1, options.idleTimeoutMilliseconds) }

  // MARK: The end

  func shutdown(graceMilliseconds: UInt64, _ signal: WebSocketInbox.Signal?) {
    if let signal { drainSignals.append(signal) }
    if !isDraining {
      isDraining = true
      fail(Self.poolClosed)
      loop.cancel(maintenanceTimer)
      if let backoffTimer { loop.cancel(backoffTimer) }
      for member in members {
        switch member.use {
        case .opening, .idle: retire(member)
        case .shared where member.replies.isEmpty: retire(member)
        default: break
        }
      }
      graceTimer = loop.schedule(after: graceMilliseconds, self, token: Timer.grace)
    }
    signalIfEmpty()
  }

  func signalIfEmpty() {
    guard isDraining, members.isEmpty, retired.isEmpty else { return }
    loop.cancel(graceTimer)
    let signals = drainSignals
    drainSignals = []
    for signal in signals { signal.resume() }
  }
}
