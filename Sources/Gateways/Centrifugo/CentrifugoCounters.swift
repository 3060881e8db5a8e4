import Synchronization

/// What happened to client sessions, since the counters were made. Any thread. Nothing is counted for each message that
/// is delivered.
public final class CentrifugoCounters: Sendable {
  let opened = Atomic<UInt64>(0)
  let closed = Atomic<UInt64>(0)
  let commands = Atomic<UInt64>(0)
  private let errors = Atomic<UInt64>(0)
  private let reconnects = Atomic<UInt64>(0)
  private let terminations = Atomic<UInt64>(0)
  private let badRequests = Atomic<UInt64>(0)
  private let badTokens = Atomic<UInt64>(0)
  private let expired = Atomic<UInt64>(0)
  private let stale = Atomic<UInt64>(0)
  private let noPongs = Atomic<UInt64>(0)
  private let rateLimited = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  /// A command has failed.
  func count(_ error: CommandError) {
    errors.count()
    if error == .badRequest { badRequests.count() }
    if error == .tooManyRequests { rateLimited.count() }
  }

  /// The server ends a connection.
  func count(_ disconnect: Disconnect) {
    if disconnect.allowsReturn { reconnects.count() } else { terminations.count() }
    switch disconnect {
    case .badRequest: badRequests.count()
    case .invalidToken: badTokens.count()
    case .expired: expired.count()
    case .stale: stale.count()
    case .noPong: noPongs.count()
    case .tooManyRequests: rateLimited.count()
    default: break
    }
  }

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("sessions_opened", opened.load(ordering: .relaxed)),
      ("sessions_closed", closed.load(ordering: .relaxed)),
      ("sessions_told_to_return", reconnects.load(ordering: .relaxed)),
      ("sessions_told_to_stay_away", terminations.load(ordering: .relaxed)),
      ("commands", commands.load(ordering: .relaxed)),
      ("command_errors", errors.load(ordering: .relaxed)),
      ("bad_requests", badRequests.load(ordering: .relaxed)),
      ("bad_tokens", badTokens.load(ordering: .relaxed)),
      ("expired_clients", expired.load(ordering: .relaxed)),
      ("stale_clients", stale.load(ordering: .relaxed)),
      ("silent_clients", noPongs.load(ordering: .relaxed)),
      ("rate_limited", rateLimited.load(ordering: .relaxed)),
    ]
  }
}

extension Atomic<UInt64> {
  /// Counts one.
  func count() { wrappingAdd(1, ordering: .relaxed) }
}
