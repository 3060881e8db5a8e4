/// How often clients may do what they do. Nothing is limited unless it is said here.
public struct RateLimits: Sendable {
  /// What is counted by itself.
  public enum Operation: Int, Sendable, CaseIterable {
    /// Every command, those below included.
    case command
    /// Subscribing, and unsubscribing.
    case subscribe
    /// Publishing, and messages that want no reply.
    case publish
    /// History, presence and presence statistics.
    case read
    /// Remote procedure calls.
    case call
  }

  /// One limit an operation.
  public struct Limits: Sendable {
    var limits: [RateLimit?] = Array(repeating: nil, count: Operation.allCases.count)

    /// Makes limits that limit nothing.
    public init() {}

    /// The limit of an operation; nil where there is none.
    public subscript(operation: Operation) -> RateLimit? {
      get { limits[operation.rawValue] }
      set { limits[operation.rawValue] = newValue }
    }

    var isEmpty: Bool { limits.allSatisfy { $0 == nil } }
  }

  /// For each connection.
  public var connection = Limits()
  /// For all connections of a user on one loop; anonymous ones are not counted here.
  public var user = Limits()
  /// For all connections of an address on one loop.
  public var address = Limits()
  /// How many commands in a row may be refused before the connection ends (3013); 0 for any number.
  public var maximumRefusals = 100
  /// Of how many users, and of how many addresses, a loop keeps count. Beyond that the further ones share one count.
  public var maximumCounted = 65_536

  /// Makes limits that limit nothing.
  public init() {}

  /// Whether there is anything to count.
  public var isEmpty: Bool { connection.isEmpty && user.isEmpty && address.isEmpty }
}

/// What one connection, one user or one address has used.
struct RateCount {
  private var buckets: [TokenBucket?]

  init() { buckets = Array(repeating: nil, count: RateLimits.Operation.allCases.count) }

  /// Counts one operation, and a command; false where that is too much.
  mutating func take(_ operation: RateLimits.Operation, _ limits: RateLimits.Limits, now: UInt64) -> Bool {
    guard take(one: .command, limits, now) else { return false }
    return operation == .command || take(one: operation, limits, now)
  }

  private mutating func take(one operation: RateLimits.Operation, _ limits: RateLimits.Limits, _ now: UInt64)
    -> Bool
  {
    guard let limit = limits[operation] else { return true }
    var bucket = buckets[operation.rawValue] ?? TokenBucket(limit, now: now)
    defer { buckets[operation.rawValue] = bucket }
    return bucket.take(limit, now: now)
  }

  /// Whether it may be forgotten.
  mutating func isFull(_ limits: RateLimits.Limits, now: UInt64) -> Bool {
    for operation in RateLimits.Operation.allCases {
      guard let limit = limits[operation], var bucket = buckets[operation.rawValue] else { continue }
      if !bucket.isFull(limit, now: now) { return false }
    }
    return true
  }
}

/// Counts of users or addresses on one loop: bounded, and swept when they become many.
struct RateCounts: Sendable {
  private var counts: [String: RateCount] = [:]
  private var others = RateCount()
  private var nextSweep = 1_024

  var count: Int { counts.count }

  mutating func take(
    _ key: String, _ operation: RateLimits.Operation, _ limits: RateLimits.Limits, maximum: Int, now: UInt64
  ) -> Bool {
    if counts[key] == nil, !makeRoom(limits, maximum: maximum, now: now) {
      return others.take(operation, limits, now: now)
    }
    return counts[key, default: RateCount()].take(operation, limits, now: now)
  }

  /// Sweeps when the table has doubled, so that each count is looked at twice on average.
  private mutating func makeRoom(_ limits: RateLimits.Limits, maximum: Int, now: UInt64) -> Bool {
    if counts.count >= min(nextSweep, maximum) {
      counts = counts.filter { entry in
        var count = entry.value
        return !count.isFull(limits, now: now)
      }
      nextSweep = max(1_024, counts.count * 2)
    }
    return counts.count < maximum
  }
}
