import WebSocketCore

extension ReconnectingWebSocket {
  /// What a socket is doing.
  public enum State: Sendable, Hashable {
    /// It was not started.
    case idle
    /// An attempt is under way, hooks included.
    case connecting
    /// Messages are sent and received.
    case open
    /// The user's close is under way.
    case closing
    /// The next attempt begins at this time of the loop's clock.
    case waiting(untilMilliseconds: UInt64)
    /// It has ended for good.
    case closed
  }

  /// The end of a connection.
  public struct CloseEvent: Sendable, Hashable {
    /// The close code: 1005 if the peer gave none, 1006 if the connection ended without a close frame or none was made.
    public let code: CloseCode
    /// The peer's reason, or what went wrong.
    public let reason: String
    /// Whether no further attempt is made. Nothing else is called then.
    public let isFinal: Bool
  }

  /// Closures that are called as things happen, on the socket's loop: they must not block it. They are let go when the
  /// socket has ended.
  public struct Events: Sendable {
    /// A connection is open, and prepared.
    public var onOpen: (@Sendable () -> Void)?
    /// A message arrived. With this closure there is nothing left to iterate over.
    public var onMessage: (@Sendable (WebSocketMessage) -> Void)?
    /// An open connection has ended, or, once, the socket itself.
    public var onClose: (@Sendable (CloseEvent) -> Void)?
    /// An attempt failed, a connection ended abnormally, or a posted message was dropped.
    public var onError: (@Sendable (WebSocketError) -> Void)?
    /// The next attempt is that with this number since the last stable connection, after so many milliseconds.
    public var onReconnecting: (@Sendable (_ attempt: Int, _ delayMilliseconds: UInt64) -> Void)?

    /// Makes events without closures.
    public init() {}
  }

  /// What has happened to a socket, and what waits.
  public struct Statistics: Sendable, Hashable {
    /// Connections that were opened.
    public internal(set) var connections = 0
    /// Attempts that failed.
    public internal(set) var failedAttempts = 0
    /// Connections that were cut because a ping was not answered.
    public internal(set) var heartbeatsMissed = 0
    /// Messages that were taken, or posted, and not sent.
    public internal(set) var droppedMessages = 0
    /// Messages that were sent again because they had died with their connection.
    public internal(set) var resentMessages = 0
    /// Messages that wait for a connection.
    public internal(set) var queuedMessages = 0
    /// Bytes of those.
    public internal(set) var queuedBytes = 0
  }
}
