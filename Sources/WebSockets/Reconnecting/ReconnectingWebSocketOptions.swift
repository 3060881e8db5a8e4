import WebSocketCore

/// Where an attempt goes, and how.
public struct ConnectionTarget: Sendable {
  /// The URL: `ws://host[:port]/path?query`.
  public var url: String
  /// Fields, subprotocols, deadlines, limits.
  public var options: WebSocketClientOptions

  /// Makes a target.
  public init(url: String, options: WebSocketClientOptions = WebSocketClientOptions()) {
    self.url = url
    self.options = options
  }
}

/// How a ``ReconnectingWebSocket`` connects, waits, queues and listens.
public struct ReconnectingWebSocketOptions: Sendable {
  /// What happens to a message for which the queue has no room while there is no connection.
  public enum Overflow: Sendable, Hashable {
    /// The oldest messages in the queue are dropped.
    case dropOldest
    /// The message is refused: `send` throws `queueFull`.
    case reject
    /// `send` waits until there is room; `post`, which cannot wait, is refused.
    case wait
  }

  /// What happens to messages that a connection took and had not passed on to the system when it died.
  public enum Unsent: Sendable, Hashable {
    /// They are lost.
    case drop
    /// They are sent on the next connection, before those that wait in the queue. They cannot have arrived, so that nothing
    /// arrives twice.
    case resend
  }

  /// How each connection is made. Its keepalive is replaced by the heartbeat below, unless that is off.
  public var connection: WebSocketClientOptions
  /// The delays between attempts.
  public var backoff: Backoff
  /// Which failures are worth another attempt.
  public var retry: RetryPolicy
  /// How one of several URLs is chosen for each attempt. Default: the first one that works.
  public var selection: EndpointSelector.Strategy
  /// When a URL is left out for a time, if there are others. Default: after one failure, for 10 s.
  public var health: EndpointSelector.Health
  /// Messages that may wait for a connection. Default 1,000.
  public var maximumQueuedMessages: Int
  /// Bytes of messages that may wait for a connection. Default 1 MiB.
  public var maximumQueuedBytes: Int
  /// What happens beyond that. Default: `send` waits.
  public var overflow: Overflow
  /// What happens to messages that died with their connection. Default: they are sent again.
  public var unsent: Unsent
  /// The time between pings, in milliseconds; 0 sends none. Default 25 s.
  public var heartbeatIntervalMilliseconds: UInt64
  /// How long a ping may stay without any sign of life, in milliseconds; then the connection is cut. Default 8 s.
  public var heartbeatDeadlineMilliseconds: UInt64
  /// How long ``refresh`` or ``resubscribe`` may take, in milliseconds; then the attempt has failed. Default 30 s.
  public var hookTimeoutMilliseconds: UInt64
  /// Called before each attempt, the first included: returns where to go, for example with a fresh token. If it throws,
  /// no further attempt is made. The number is that of the attempt since the last stable connection, from 1.
  public var refresh: (@Sendable (ConnectionTarget, Int) async throws -> ConnectionTarget)?
  /// Called with each fresh connection before anything else is sent on it: subscribes, logs in. What it does not read
  /// is delivered afterwards. If it throws, the connection is closed and another attempt follows.
  public var resubscribe: (@Sendable (WebSocket) async throws -> Void)?

  /// Makes options with the defaults of docs/limits.md.
  public init(connection: WebSocketClientOptions = WebSocketClientOptions()) {
    self.connection = connection
    backoff = Backoff()
    retry = RetryPolicy()
    selection = .failover
    health = EndpointSelector.Health(maximumFailures: 1)
    maximumQueuedMessages = 1_000
    maximumQueuedBytes = 1 << 20
    overflow = .wait
    unsent = .resend
    heartbeatIntervalMilliseconds = 25_000
    heartbeatDeadlineMilliseconds = 8_000
    hookTimeoutMilliseconds = 30_000
  }
}

extension WebSocketError.Code {
  /// The queue of messages that wait for a connection has no room.
  public static let queueFull = WebSocketError.Code(description: "queueFull")
  /// No further attempt to connect is made; `cause` has the last failure.
  public static let gaveUp = WebSocketError.Code(description: "gaveUp")
  /// The closure that says where to connect has thrown; `cause` has what.
  public static let refreshFailed = WebSocketError.Code(description: "refreshFailed")
  /// The closure that prepares a fresh connection has thrown; `cause` has what.
  public static let resubscribeFailed = WebSocketError.Code(description: "resubscribeFailed")
  /// Something took longer than it may.
  public static let timedOut = WebSocketError.Code(description: "timedOut")
}
