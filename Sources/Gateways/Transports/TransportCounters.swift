import Synchronization

/// How often limits of the transports over HTTP were met, since the counters were made. Any thread.
public final class TransportCounters: Sendable {
  let requestsRefused = Atomic<UInt64>(0)
  let unknownSessions = Atomic<UInt64>(0)
  let commandGaps = Atomic<UInt64>(0)
  let repeatedCommands = Atomic<UInt64>(0)
  let slowClients = Atomic<UInt64>(0)
  let pollSessionsRefused = Atomic<UInt64>(0)
  let pollSessionsLeft = Atomic<UInt64>(0)
  let tunnelsRefused = Atomic<UInt64>(0)
  let tunnelStreamsBroken = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("transport_requests_refused", requestsRefused.load(ordering: .relaxed)),
      ("transport_sessions_unknown", unknownSessions.load(ordering: .relaxed)),
      ("transport_command_gaps", commandGaps.load(ordering: .relaxed)),
      ("transport_commands_repeated", repeatedCommands.load(ordering: .relaxed)),
      ("transport_slow_clients", slowClients.load(ordering: .relaxed)),
      ("poll_sessions_refused", pollSessionsRefused.load(ordering: .relaxed)),
      ("poll_sessions_left", pollSessionsLeft.load(ordering: .relaxed)),
      ("tunnels_refused", tunnelsRefused.load(ordering: .relaxed)),
      ("tunnel_streams_broken", tunnelStreamsBroken.load(ordering: .relaxed)),
    ]
  }
}
