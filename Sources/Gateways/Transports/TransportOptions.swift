/// Limits and times of the transports over HTTP.
public struct TransportOptions: Sendable {
  /// The largest request, in bytes: 413. Default 64 KiB.
  public var maximumMessageBytes = 65_536
  /// Bytes that may wait for one slow client: 3008. Default 1 MiB.
  public var maximumQueuedBytes = 1 << 20
  /// How long a poll without news waits, in milliseconds, unless the client asks for less. Default 25 s.
  public var pollWaitMilliseconds: UInt64 = 25_000
  /// How long a client of long-polling may stay away between two polls, in milliseconds. Default 15 s.
  public var pollGapMilliseconds: UInt64 = 15_000
  /// Sessions of long-polling on one loop: 503. Default 10,000.
  public var maximumPollSessionsPerLoop = 10_000
  /// WebSockets in tunnels on one loop, which are no connections of their own: 503. Default 10,000.
  public var maximumTunnelsPerLoop = 10_000
  /// What connect replies say that this node is, and what posts to `/emulation` have to say in turn.
  public var node = ""

  /// Counts how often limits are met; pass one of your own to read it.
  public var counters = TransportCounters()

  /// Makes options with the defaults of docs/limits.md.
  public init() {}
}
