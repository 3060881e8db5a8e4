/// The heartbeat of one end, as a value; times are milliseconds of any clock that does not go back.
public struct Keepalive: Sendable {
  /// What to do at a tick.
  public enum Action: Sendable, Hashable {
    /// Nothing yet.
    case none
    /// Send a ping.
    case sendPing
    /// The peer is gone: no sign of life since the ping.
    case expired
  }

  private let interval: UInt32
  private let deadline: UInt32
  private var lastReceived: UInt64
  /// When the ping that is not answered yet was sent.
  /// When a ping was sent, counted from then; 0 for none.
  private var pingDelay: UInt32 = 0

  /// Makes a heartbeat.
  ///
  /// - Parameters:
  ///   - intervalMilliseconds: silence after which a ping is sent; 0 switches the heartbeat off.
  ///   - deadlineMilliseconds: how long the peer may then stay silent.
  ///   - now: the time.
  public init(intervalMilliseconds: UInt64, deadlineMilliseconds: UInt64, now: UInt64) {
    interval = UInt32(clamping: intervalMilliseconds)
    deadline = UInt32(clamping: deadlineMilliseconds)
    lastReceived = now
  }

  /// Something came from the peer, anything at all.
  public mutating func received(now: UInt64) {
    lastReceived = now
    pingDelay = 0
  }

  /// When to tick next; nil never.
  public var nextDeadline: UInt64? {
    guard interval > 0 else { return nil }
    return lastReceived + UInt64(pingDelay == 0 ? interval : pingDelay)
      + UInt64(pingDelay == 0 ? 0 : deadline)
  }

  /// What to do now. Early and late ticks are harmless.
  public mutating func tick(now: UInt64) -> Action {
    guard let nextDeadline, now >= nextDeadline else { return .none }
    guard pingDelay == 0 else { return .expired }
    pingDelay = UInt32(clamping: now - lastReceived)
    return .sendPing
  }
}
