/// How long to wait before the next attempt: exponential with full jitter, so that the clients of a server that
/// restarts do not all come back at once.
///
/// The delay before attempt n (from 0) is a random time below `min(maximum, base * 2^n)`. A value: time and randomness
/// are passed in.
public struct Backoff: Sendable, Hashable {
  /// The ceiling of the first delay, in milliseconds. Default 500.
  public let baseMilliseconds: UInt64
  /// The largest ceiling, in milliseconds. Default 30 s.
  public let maximumMilliseconds: UInt64
  /// How long a connection must have been open for the next delay to begin at the base again, in milliseconds.
  /// Default 10 s.
  public let stableMilliseconds: UInt64
  /// Attempts since the last stable connection.
  public private(set) var attempts = 0
  private var openedAt: UInt64?

  /// Makes a backoff at its beginning.
  public init(
    baseMilliseconds: UInt64 = 500, maximumMilliseconds: UInt64 = 30_000, stableMilliseconds: UInt64 = 10_000
  ) {
    self.baseMilliseconds = baseMilliseconds
    self.maximumMilliseconds = maximumMilliseconds
    self.stableMilliseconds = stableMilliseconds
  }

  /// The next delay is below this, in milliseconds.
  public var ceilingMilliseconds: UInt64 {
    let shift = UInt64(clamping: attempts)
    // A shift that would lose bits is beyond every maximum.
    guard shift < UInt64(baseMilliseconds.leadingZeroBitCount) else {
      return baseMilliseconds == 0 ? 0 : maximumMilliseconds
    }
    return min(maximumMilliseconds, baseMilliseconds << shift)
  }

  /// Counts an attempt and returns the delay before it, in milliseconds.
  public mutating func nextDelay(using random: inout some RandomNumberGenerator) -> UInt64 {
    let ceiling = ceilingMilliseconds
    attempts += 1
    return ceiling == 0 ? 0 : UInt64.random(in: 0..<ceiling, using: &random)
  }

  /// A connection is open since `now`.
  public mutating func opened(now: UInt64) { openedAt = now }

  /// The connection has ended; if it was stable, the counting begins anew.
  ///
  /// - Returns: whether it was.
  @discardableResult
  public mutating func closed(now: UInt64) -> Bool {
    guard let opened = openedAt else { return false }
    openedAt = nil
    guard now >= opened, now - opened >= stableMilliseconds else { return false }
    attempts = 0
    return true
  }

  /// Begins anew, as after a stable connection.
  public mutating func reset() {
    attempts = 0
  }
}
