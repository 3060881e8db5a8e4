import EventLoops
import Realtime

/// How often a client may do what it does.
extension CentrifugoSession {
  /// Counts a command. False, and answered, where it is one too many: 111, and 3013 for a client that goes on regardless.
  func isWithinRate(_ request: CentrifugoCommand.Request, _ id: UInt32) -> Bool {
    guard let extras, extras.rate != nil else { return true }
    let (limits, counts) = (options.rateLimits, hub.rateCounts)
    let limiter = loop.storage { _ in RateLimiter(limits, sharing: counts) }
    let verdict = extras.rate?.take(
      request.rated, limiter, user: user, address: address.text, now: loop.nowMilliseconds)
    switch verdict {
    case .allowed, nil: return true
    case .refused where id == 0: counters.count(CommandError.tooManyRequests)
    case .refused: reply(id, .tooManyRequests)
    case .flood: close(.tooManyRequests)
    }
    return false
  }
}

extension CentrifugoCommand.Request {
  /// What the command counts as, besides as a command.
  fileprivate var rated: RateLimits.Operation {
    switch self {
    case .subscribe, .unsubscribe: .subscribe
    case .publish, .send: .publish
    case .presence, .presenceStats, .history: .read
    case .rpc: .call
    case .connect, .ping, .refresh, .subscriptionRefresh, .acknowledge: .command
    }
  }
}
