import EventLoops
import Gateways
import Realtime

/// Looks now and then at what is counted, and notes which limits were met: a line each time, however many clients meet
/// them.
final class LimitWatch: @unchecked Sendable {
  /// The time between two looks.
  static let intervalMilliseconds: UInt64 = 10_000

  /// Counters of what should not happen in a server that is large enough, with clients that behave.
  static let names: Set<String> = [
    "connections_refused", "connections_refused_by_address", "proxy_headers_refused", "http_rejected",
    "http_timeouts", "tls_refused", "tls_timeouts", "slow_consumers", "messages_too_big", "protocol_errors",
    "bad_requests", "stale_clients", "rate_limited", "limit_errors", "dropped_publications",
    "transport_requests_refused", "transport_slow_clients", "poll_sessions_refused", "backend_rejections",
    "webhook_events_dropped", "log_lines_dropped",
  ]

  private let loop: EventLoop
  private let hub: Hub
  private let log: ServerLog
  private let counters: @Sendable () -> [(name: String, value: UInt64)]
  /// Touched on the loop only.
  private var growth = CounterGrowth()

  init(
    _ hub: Hub, on loop: EventLoop, log: ServerLog,
    counters: @escaping @Sendable () -> [(name: String, value: UInt64)]
  ) {
    self.loop = loop
    self.hub = hub
    self.log = log
    self.counters = counters
  }

  /// Begins to look.
  func start() { loop.execute { self.look() } }

  private func look() {
    hub.counters { [self] own in
      note([("limit_errors", own.limitRefusals), ("dropped_publications", own.dropped)] + counters())
      loop.schedule(after: Self.intervalMilliseconds) { [self] in look() }
    }
  }

  private func note(_ counters: [(name: String, value: UInt64)]) {
    let found = growth.take(counters.filter { Self.names.contains($0.name) })
    if !found.isEmpty { log.write(.warning, "limits were met", Self.interval + fields(found)) }
    let stalls = hub.loops.map(\.stalls)
    let turns = growth.take([("turns", stalls.reduce(0) { $0 + $1.count })])
    guard !turns.isEmpty else { return }
    let longest = stalls.map(\.longestMilliseconds).max() ?? 0
    log.write(
      .warning, "event loops kept their connections waiting",
      Self.interval + fields(turns) + [.number("longest_ever_ms", longest)])
  }

  private static let interval: [LogField] = [.number("seconds", intervalMilliseconds / 1_000)]

  private func fields(_ counters: [(name: String, value: UInt64)]) -> [LogField] {
    counters.map { .number($0.name, $0.value) }
  }
}

/// How much counters have grown from one look to the next.
struct CounterGrowth {
  private var last: [String: UInt64] = [:]

  /// Those that have grown, and by how much; a counter that is seen for the first time began at zero.
  mutating func take(_ counters: [(name: String, value: UInt64)]) -> [(name: String, value: UInt64)] {
    counters.compactMap { name, value in
      let before = last.updateValue(value, forKey: name) ?? 0
      return value > before ? (name, value - before) : nil
    }
  }
}
