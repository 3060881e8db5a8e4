/// How often something may be done: `burst` times at once, and so many times a second in the long run.
public struct RateLimit: Sendable, Hashable {
  /// How often in a second, 1 to 1,000,000.
  public let perSecond: UInt64
  /// How often at once, 1 to 1,000,000.
  public let burst: UInt64

  /// Makes a limit; what is out of range is brought into it. `burst` is twice `perSecond` where it is nil.
  public init(perSecond: UInt64, burst: UInt64? = nil) {
    self.perSecond = min(max(perSecond, 1), 1_000_000)
    self.burst = min(max(burst ?? self.perSecond * 2, 1), 1_000_000)
  }
}

/// Counts against a limit: full at first, a token a time, filled up again as time passes. Time is passed in.
struct TokenBucket {
  /// In thousandths of a token, so that a millisecond brings `perSecond` of them.
  private var level: UInt64
  private var filledAt: UInt64

  init(_ limit: RateLimit, now: UInt64) {
    level = limit.burst * 1_000
    filledAt = now
  }

  /// Takes a token; false where there is none.
  mutating func take(_ limit: RateLimit, now: UInt64) -> Bool {
    fill(limit, now: now)
    guard level >= 1_000 else { return false }
    level -= 1_000
    return true
  }

  /// Whether nothing was taken for so long that a new one would be the same.
  mutating func isFull(_ limit: RateLimit, now: UInt64) -> Bool {
    fill(limit, now: now)
    return level == limit.burst * 1_000
  }

  private mutating func fill(_ limit: RateLimit, now: UInt64) {
    guard now > filledAt else { return }
    let full = limit.burst * 1_000
    let (gain, overflows) = (now - filledAt).multipliedReportingOverflow(by: limit.perSecond)
    level = overflows ? full : min(full, level.saturatingAdding(gain))
    filledAt = now
  }
}
