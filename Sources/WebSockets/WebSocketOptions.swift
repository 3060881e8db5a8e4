import WebSocketCore

/// What a WebSocket connection allows and how it keeps itself alive.
public struct WebSocketOptions: Sendable {
  /// Limits on what the peer may send: message size in bytes (1 MiB) and fragments a message (1,024).
  public var limits: WebSocketLimits {
    get { values.limits }
    set { change().limits = newValue }
  }
  /// permessage-deflate (RFC 7692), if the peer has it, too; nil, the default, does not offer or accept it. One line
  /// turns it on: `options.compression = .standard`.
  public var compression: DeflateOptions? {
    get { values.compression }
    set { change().compression = newValue }
  }
  /// Whether messages are handed on whole (the default), or piece by piece as they arrive: then they may be of any size.
  public var delivery: MessageDelivery {
    get { values.delivery }
    set { change().delivery = newValue }
  }
  /// Silence, in milliseconds, after which a ping is sent; 0 sends none. Default 25 s.
  public var keepaliveIntervalMilliseconds: UInt64 {
    get { values.keepaliveIntervalMilliseconds }
    set { change().keepaliveIntervalMilliseconds = newValue }
  }
  /// How long a ping may stay without any sign of life from the peer, in milliseconds. Default 8 s.
  public var pongDeadlineMilliseconds: UInt64 {
    get { values.pongDeadlineMilliseconds }
    set { change().pongDeadlineMilliseconds = newValue }
  }
  /// How long the peer may take to complete the closing handshake, in milliseconds. Default 5 s.
  public var closeTimeoutMilliseconds: UInt64 {
    get { values.closeTimeoutMilliseconds }
    set { change().closeTimeoutMilliseconds = newValue }
  }
  /// Bytes that may wait in the outbound queue: who sends while more than this wait gives the connection up as
  /// too slow. So no more than this, one message and a close frame ever wait. Default 1 MiB.
  public var maximumQueuedBytes: Int {
    get { values.maximumQueuedBytes }
    set { change().maximumQueuedBytes = newValue }
  }
  /// How a connection that is too slow ends: nil cuts it, which the peer sees as 1006; else a close frame follows
  /// what is queued, and the peer has the close timeout to read all that. Default nil.
  public var slowConsumerClose: SlowConsumerClose? {
    get { values.slowConsumerClose }
    set { change().slowConsumerClose = newValue }
  }

  /// Makes options with the defaults of docs/limits.md.
  public init(
    limits: WebSocketLimits = WebSocketLimits(),
    compression: DeflateOptions? = nil,
    delivery: MessageDelivery = .whole,
    keepaliveIntervalMilliseconds: UInt64 = 25_000,
    pongDeadlineMilliseconds: UInt64 = 8_000,
    closeTimeoutMilliseconds: UInt64 = 5_000,
    maximumQueuedBytes: Int = 1 << 20,
    slowConsumerClose: SlowConsumerClose? = nil
  ) {
    values = Values(
      limits: limits, compression: compression, delivery: delivery,
      keepaliveIntervalMilliseconds: keepaliveIntervalMilliseconds,
      pongDeadlineMilliseconds: pongDeadlineMilliseconds, closeTimeoutMilliseconds: closeTimeoutMilliseconds,
      maximumQueuedBytes: maximumQueuedBytes, slowConsumerClose: slowConsumerClose)
  }

  /// The values, shared by all copies until one is changed: each connection has a copy.
  private var values: Values

  private mutating func change() -> Values {
    if !isKnownUniquelyReferenced(&values) { values = values.copy() }
    return values
  }
}

/// Never changed while two options share it, which is what makes it sendable.
private final class Values: @unchecked Sendable {
  var limits: WebSocketLimits
  var compression: DeflateOptions?
  var delivery: MessageDelivery
  var keepaliveIntervalMilliseconds: UInt64
  var pongDeadlineMilliseconds: UInt64
  var closeTimeoutMilliseconds: UInt64
  var maximumQueuedBytes: Int
  var slowConsumerClose: SlowConsumerClose?

  init(
    limits: WebSocketLimits,
    compression: DeflateOptions?,
    delivery: MessageDelivery,
    keepaliveIntervalMilliseconds: UInt64,
    pongDeadlineMilliseconds: UInt64,
    closeTimeoutMilliseconds: UInt64,
    maximumQueuedBytes: Int,
    slowConsumerClose: SlowConsumerClose?
  ) {
    self.limits = limits
    self.compression = compression
    self.delivery = delivery
    self.keepaliveIntervalMilliseconds = keepaliveIntervalMilliseconds
    self.pongDeadlineMilliseconds = pongDeadlineMilliseconds
    self.closeTimeoutMilliseconds = closeTimeoutMilliseconds
    self.maximumQueuedBytes = maximumQueuedBytes
    self.slowConsumerClose = slowConsumerClose
  }

  func copy() -> Values {
    Values(
      limits: limits,
      compression: compression,
      delivery: delivery,
      keepaliveIntervalMilliseconds: keepaliveIntervalMilliseconds,
      pongDeadlineMilliseconds: pongDeadlineMilliseconds,
      closeTimeoutMilliseconds: closeTimeoutMilliseconds,
      maximumQueuedBytes: maximumQueuedBytes,
      slowConsumerClose: slowConsumerClose)
  }
}

/// What a peer that reads too slowly is told.
public struct SlowConsumerClose: Sendable, Equatable {
  /// The close code; one that may not be sent is sent as 1000.
  public var code: CloseCode
  /// The close reason: UTF-8 of at most 123 bytes.
  public var reason: String

  /// Makes the answer.
  public init(code: CloseCode, reason: String) {
    self.code = code
    self.reason = reason
  }
}
