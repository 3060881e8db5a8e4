import Synchronization

/// Counts what the clients of one loop do. Loop-confined; time is passed in.
public final class RateLimiter {
  /// What is allowed.
  public private(set) var limits: RateLimits
  private let counts: SharedRateCounts

  /// Makes a limiter.
  ///
  /// - Parameters:
  ///   - limits: what is allowed.
  ///   - counts: of users and addresses, whose connections may be on other loops, too.
  public init(_ limits: RateLimits, sharing counts: SharedRateCounts = SharedRateCounts()) {
    self.limits = limits
    self.counts = counts
  }

  /// Allows so much from now on; what was counted stays counted.
  public func use(_ limits: RateLimits) { self.limits = limits }

  /// What becomes of a command.
  public enum Verdict: Sendable, Hashable {
    /// It is done.
    case allowed
    /// It is refused for now.
    case refused
    /// It is refused, and so were too many before it: the connection ends.
    case flood
  }

  /// The part of one connection.
  public struct Connection {
    private var count = RateCount()
    private var refusals = 0

    /// Makes the part of a connection that has done nothing.
    public init() {}

    /// Counts one operation.
    ///
    /// - Parameters:
    ///   - operation: what the client wants.
    ///   - limiter: of the connection's loop.
    ///   - user: the user's identifier; empty for anonymous clients.
    ///   - address: the client's address; empty where it is not known.
    ///   - now: milliseconds of a clock that never goes back.
    public mutating func take(
      _ operation: RateLimits.Operation, _ limiter: RateLimiter, user: String, address: String, now: UInt64
    ) -> Verdict {
      let limits = limiter.limits
      let isAllowed =
        count.take(operation, limits.connection, now: now)
        && limiter.take(user, operation, limiter.counts.users, limits.user, now)
        && limiter.take(address, operation, limiter.counts.addresses, limits.address, now)
      guard !isAllowed else {
        refusals = 0
        return .allowed
      }
      refusals += 1
      return limits.maximumRefusals > 0 && refusals > limits.maximumRefusals ? .flood : .refused
    }
  }

  private func take(
    _ key: String, _ operation: RateLimits.Operation,
    _ counts: borrowing Mutex<RateCounts>, _ limits: RateLimits.Limits, _ now: UInt64
  ) -> Bool {
    guard !key.isEmpty, !limits.isEmpty else { return true }
    let maximum = self.limits.maximumCounted
    return counts.withLock { $0.take(key, operation, limits, maximum: maximum, now: now) }
  }
}

/// What the users and addresses of a server have done, on all its loops. Any thread; the locks are taken only where users
/// or addresses are limited.
public final class SharedRateCounts: Sendable {
  let users = Mutex(RateCounts())
  let addresses = Mutex(RateCounts())

  /// Nothing is counted yet.
  public init() {}
}
