import Synchronization
import WebSocketCore

/// How a ``WebSocketPool`` opens, keeps and gives out its connections.
public struct WebSocketPoolOptions: Sendable {
  /// When a connection goes back into the pool after a lease whose body returned without an error.
  public enum LeaseReuse: Sendable, Hashable {
    /// When at least as many messages came as were sent, and all were read (default): for protocols in which every
    /// request has a reply.
    case whenAnswered
    /// When everything that came was read: for protocols in which requests may have no reply.
    case whenRead
  }

  /// How each connection is made. Its keepalive is replaced by the health check below.
  public var connection: WebSocketClientOptions
  /// Connections that are kept open. Default 0.
  public var minimumConnections: Int
  /// Connections that may be open or opening at once, at least 1. Default 8.
  public var maximumConnections: Int
  /// How long a connection may be unused before it is closed, down to the minimum, in milliseconds; 0 for ever.
  /// Default 60 s.
  public var idleTimeoutMilliseconds: UInt64
  /// How long a connection is used, in milliseconds; 0 for ever. Default 30 min.
  public var maximumLifetimeMilliseconds: UInt64
  /// How much shorter, by chance, each connection's lifetime may be, in percent: so that they do not all end at once.
  /// Default 10.
  public var lifetimeJitterPercent: Int
  /// Silence after which a connection is pinged, in milliseconds; 0 never. Default 15 s.
  public var healthCheckIntervalMilliseconds: UInt64
  /// How long the ping may stay without a sign of life, in milliseconds. Default 5 s.
  public var healthCheckDeadlineMilliseconds: UInt64
  /// How long to wait for a connection, in milliseconds. Default 10 s.
  public var acquireTimeoutMilliseconds: UInt64
  /// How long to wait for a reply, in milliseconds. Default 30 s.
  public var requestTimeoutMilliseconds: UInt64
  /// How many may wait for a connection. Default 10,000.
  public var maximumWaiters: Int
  /// When a connection goes back after a lease.
  public var leaseReuse: LeaseReuse
  /// Finds the number of the request that a message replies to; nil if it replies to none. With it
  /// ``WebSocketPool/request(numbered:)`` has many requests on one connection at a time.
  public var correlation: (@Sendable (WebSocketMessage) -> UInt64?)?
  /// Numbered requests on one connection at a time. Default 128.
  public var maximumRequestsPerConnection: Int
  /// How the upstream of a new connection is chosen, and that of the connection that is used next. Default: the one with
  /// the fewest.
  public var selection: EndpointSelector.Strategy
  /// When an upstream is left out for a time, if there are others. Default: after one failure, for 10 s.
  public var health: EndpointSelector.Health
  /// The delays between attempts to connect, while somebody waits.
  public var backoff: Backoff
  /// Which failures to connect are worth another attempt; after the others all who wait are told. Its limits on attempts and
  /// time do not apply.
  public var retry: RetryPolicy

  /// Makes options with the defaults of docs/limits.md.
  public init(connection: WebSocketClientOptions = WebSocketClientOptions()) {
    self.connection = connection
    minimumConnections = 0
    maximumConnections = 8
    idleTimeoutMilliseconds = 60_000
    maximumLifetimeMilliseconds = 1_800_000
    lifetimeJitterPercent = 10
    healthCheckIntervalMilliseconds = 15_000
    healthCheckDeadlineMilliseconds = 5_000
    acquireTimeoutMilliseconds = 10_000
    requestTimeoutMilliseconds = 30_000
    maximumWaiters = 10_000
    leaseReuse = .whenAnswered
    maximumRequestsPerConnection = 128
    selection = .leastConnections
    health = EndpointSelector.Health(maximumFailures: 1)
    backoff = Backoff(baseMilliseconds: 100, maximumMilliseconds: 5_000)
    retry = RetryPolicy()
  }
}

/// What has happened in a pool since it was made. Any thread.
public final class WebSocketPoolCounters: Sendable {
  let created = Atomic<UInt64>(0)
  let reused = Atomic<UInt64>(0)
  let waited = Atomic<UInt64>(0)
  let timedOut = Atomic<UInt64>(0)
  let refused = Atomic<UInt64>(0)
  let discarded = Atomic<UInt64>(0)
  let closed = Atomic<UInt64>(0)
  let failed = Atomic<UInt64>(0)
  let unmatched = Atomic<UInt64>(0)

  init() {}

  /// The counters by name: connections created, uses of a connection that had been used before, requests that had to wait,
  /// that timed out, that were refused because too many wait; connections discarded because they might poison
  /// the next user, closed for whatever reason, attempts that failed, messages that nobody had asked for.
  public var values: [(name: String, value: UInt64)] {
    [
      ("created", created.load(ordering: .relaxed)), ("reused", reused.load(ordering: .relaxed)),
      ("waited", waited.load(ordering: .relaxed)), ("timed_out", timedOut.load(ordering: .relaxed)),
      ("refused", refused.load(ordering: .relaxed)), ("discarded", discarded.load(ordering: .relaxed)),
      ("closed", closed.load(ordering: .relaxed)), ("failed", failed.load(ordering: .relaxed)),
      ("unmatched", unmatched.load(ordering: .relaxed)),
    ]
  }

  /// One of them.
  public subscript(name: String) -> UInt64 { values.first { $0.name == name }?.value ?? 0 }
}

extension WebSocketError.Code {
  /// The pool has been shut down.
  public static let poolClosed = WebSocketError.Code(description: "poolClosed")
}
