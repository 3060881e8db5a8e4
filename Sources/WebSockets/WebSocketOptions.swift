import WebSocketCore

/// What a WebSocket connection allows and how it keeps itself alive.
public struct WebSocketOptions: Sendable {
  /// Limits on what the peer may send: message size in bytes (1 MiB) and fragments a message (1,024).
  public var limits: WebSocketLimits
  /// Silence, in milliseconds, after which a ping is sent; 0 sends none. Default 25 s.
  public var keepaliveIntervalMilliseconds: UInt64
  /// How long a ping may stay without any sign of life from the peer, in milliseconds. Default 8 s.
  public var pongDeadlineMilliseconds: UInt64
  /// How long the peer may take to complete the closing handshake, in milliseconds. Default 5 s.
  public var closeTimeoutMilliseconds: UInt64
  /// Bytes that may wait in the outbound queue: who sends while more than this wait gives the connection up as
  /// too slow, with 1006. So no more than this and one message ever wait. Default 1 MiB.
  public var maximumQueuedBytes: Int

  /// Makes options with the defaults of docs/limits.md.
  public init(
    limits: WebSocketLimits = WebSocketLimits(),
    keepaliveIntervalMilliseconds: UInt64 = 25_000,
    pongDeadlineMilliseconds: UInt64 = 8_000,
    closeTimeoutMilliseconds: UInt64 = 5_000,
    maximumQueuedBytes: Int = 1 << 20
  ) {
    self.limits = limits
    self.keepaliveIntervalMilliseconds = keepaliveIntervalMilliseconds
    self.pongDeadlineMilliseconds = pongDeadlineMilliseconds
    self.closeTimeoutMilliseconds = closeTimeoutMilliseconds
    self.maximumQueuedBytes = maximumQueuedBytes
  }
}
