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

  /// How long silence may last, in milliseconds.
  public struct Limits: Sendable {
    /// After which a ping is sent; 0 switches the heartbeat off.
    public let interval: UInt64
    /// How long the peer may then stay silent.
    public let deadline: UInt64

    /// Makes limits; more than 2^32 milliseconds, 49 days, are taken for so many.
    public init(intervalMilliseconds: UInt64, deadlineMilliseconds: UInt64) {
      interval = min(intervalMilliseconds, UInt64(UInt32.max))
      deadline = min(deadlineMilliseconds, UInt64(UInt32.max))
    }
  }

  /// The lower half of the time: no silence is longer than the interval, and the ticks that end it.
  private var lastReceived: UInt32
  /// When a ping was sent, counted from then; 0 for none.
  private var pingDelay: UInt32 = 0

  /// Makes a heartbeat that begins now.
  public init(now: UInt64) { lastReceived = UInt32(truncatingIfNeeded: now) }

  /// Something came from the peer, anything at all.
  public mutating func received(now: UInt64) {
    lastReceived = UInt32(truncatingIfNeeded: now)
    pingDelay = 0
  }

  /// After how many milliseconds to tick next, 0 at once; nil never.
  public func delay(_ limits: Limits, now: UInt64) -> UInt64? {
    guard limits.interval > 0 else { return nil }
    let wait = pingDelay == 0 ? limits.interval : UInt64(pingDelay) + limits.deadline
    let silence = silence(now)
    return wait > silence ? wait - silence : 0
  }

  /// What to do now. Early and late ticks are harmless.
  public mutating func tick(_ limits: Limits, now: UInt64) -> Action {
    guard delay(limits, now: now) == 0 else { return .none }
    guard pingDelay == 0 else { return .expired }
    pingDelay = UInt32(truncatingIfNeeded: silence(now))
    return .sendPing
  }

  private func silence(_ now: UInt64) -> UInt64 { UInt64(UInt32(truncatingIfNeeded: now) &- lastReceived) }
}
