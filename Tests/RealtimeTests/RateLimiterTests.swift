import Testing

@testable import Realtime

@Suite struct RateLimiterTests {
  private func limiter(_ change: (inout RateLimits) -> Void) -> RateLimiter {
    var limits = RateLimits()
    change(&limits)
    return RateLimiter(limits)
  }

  /// `.`: allowed, `x`: refused, `!`: a flood.
  private func verdicts(
    _ connection: inout RateLimiter.Connection, _ limiter: RateLimiter, _ count: Int,
    _ operation: RateLimits.Operation = .publish, user: String = "", address: String = "", at now: UInt64 = 0
  ) -> String {
    (0..<count).map { _ in
      switch connection.take(operation, limiter, user: user, address: address, now: now) {
      case .allowed: "."
      case .refused: "x"
      case .flood: "!"
      }
    }.joined()
  }

  @Test func nothingIsLimitedByDefault() {
    let limiter = limiter { _ in }
    var connection = RateLimiter.Connection()
    #expect(limiter.limits.isEmpty)
    #expect(
      verdicts(&connection, limiter, 10_000, user: "u", address: "a") == String(repeating: ".", count: 10_000)
    )
  }

  @Test func aBurstAndThenTheRate() {
    let limiter = limiter { $0.connection[.publish] = RateLimit(perSecond: 2, burst: 3) }
    var connection = RateLimiter.Connection()
    #expect(verdicts(&connection, limiter, 4) == "...x")
    #expect(verdicts(&connection, limiter, 1, at: 499) == "x")
    #expect(verdicts(&connection, limiter, 2, at: 500) == ".x")
    #expect(verdicts(&connection, limiter, 4, at: 100_000) == "...x")
    // Another operation has a count of its own, and time does not go back.
    #expect(verdicts(&connection, limiter, 9, .read, at: 100_000) == ".........")
    #expect(verdicts(&connection, limiter, 1, at: 0) == "x")
  }

  @Test func allCommandsCountTogether() {
    let limiter = limiter { $0.connection[.command] = RateLimit(perSecond: 1, burst: 2) }
    var connection = RateLimiter.Connection()
    #expect(verdicts(&connection, limiter, 1, .publish) == ".")
    #expect(verdicts(&connection, limiter, 1, .read) == ".")
    #expect(verdicts(&connection, limiter, 1, .subscribe) == "x")
  }

  @Test func usersAndAddressesCountOverConnections() {
    let limiter = limiter {
      $0.user[.publish] = RateLimit(perSecond: 1, burst: 2)
      $0.address[.subscribe] = RateLimit(perSecond: 1, burst: 1)
    }
    var (one, two) = (RateLimiter.Connection(), RateLimiter.Connection())
    #expect(verdicts(&one, limiter, 1, user: "ann") == "." && verdicts(&two, limiter, 2, user: "ann") == ".x")
    #expect(verdicts(&one, limiter, 1, user: "bob") == "." && verdicts(&one, limiter, 5) == ".....")
    #expect(verdicts(&one, limiter, 1, .subscribe, address: "::1") == ".")
    #expect(verdicts(&two, limiter, 1, .subscribe, address: "::1") == "x")
  }

  @Test func usersAndAddressesAreCountedOverAllLoops() {
    var limits = RateLimits()
    limits.user[.publish] = RateLimit(perSecond: 1, burst: 3)
    limits.address[.subscribe] = RateLimit(perSecond: 1, burst: 1)
    limits.connection[.read] = RateLimit(perSecond: 1, burst: 1)
    let counts = SharedRateCounts()
    let (here, there) = (RateLimiter(limits, sharing: counts), RateLimiter(limits, sharing: counts))
    var (one, two) = (RateLimiter.Connection(), RateLimiter.Connection())
    #expect(verdicts(&one, here, 2, user: "ann") == ".." && verdicts(&two, there, 2, user: "ann") == ".x")
    // A clock that is a little behind brings nothing back, and takes nothing.
    #expect(verdicts(&one, here, 1, user: "ann", at: 1_000) == ".")
    #expect(verdicts(&two, there, 1, user: "ann", at: 999) == "x")
    #expect(verdicts(&one, here, 1, .subscribe, address: "a") == ".")
    #expect(verdicts(&two, there, 1, .subscribe, address: "a") == "x")
    #expect(verdicts(&one, here, 1, .read) == "." && verdicts(&two, there, 1, .read) == ".")
    // Others have their own counters.
    #expect(verdicts(&one, RateLimiter(limits), 3, user: "ann") == "...")
  }

  @Test(arguments: [(2, "..xx!"), (0, "..xxx")])
  func aFloodEndsTheConnection(refusals: Int, expected: String) {
    let limiter = limiter {
      $0.connection[.publish] = RateLimit(perSecond: 1, burst: 2)
      $0.maximumRefusals = refusals
    }
    var connection = RateLimiter.Connection()
    #expect(verdicts(&connection, limiter, 5) == expected)
  }

  @Test func whoIsAllowedAgainStartsAnew() {
    let limiter = limiter {
      $0.connection[.publish] = RateLimit(perSecond: 1, burst: 1)
      $0.maximumRefusals = 2
    }
    var connection = RateLimiter.Connection()
    #expect(verdicts(&connection, limiter, 3) == ".xx")
    #expect(verdicts(&connection, limiter, 4, at: 1_000) == ".xx!")
  }

  @Test func countsAreBounded() {
    var counts = RateCounts()
    var limits = RateLimits.Limits()
    limits[.publish] = RateLimit(perSecond: 1, burst: 1)
    let take = { (key: Int, now: UInt64) in
      counts.take("\(key)", .publish, limits, maximum: 10, now: now)
    }
    let answers = (0..<12).map { take($0, 0) }
    // The eleventh and twelfth share a count.
    #expect(answers == Array(repeating: true, count: 11) + [false] && counts.count == 10)
    // When the others are as new, they are forgotten.
    let isAllowed = take(12, 1_000)
    #expect(isAllowed && counts.count == 1)
  }

  @Test func whatIsOutOfRangeIsBroughtIntoIt() {
    #expect(RateLimit(perSecond: 0) == RateLimit(perSecond: 1, burst: 2))
    #expect(RateLimit(perSecond: .max, burst: .max) == RateLimit(perSecond: 1_000_000, burst: 1_000_000))
    var bucket = TokenBucket(RateLimit(perSecond: 1_000_000), now: 0)
    let isFull = bucket.isFull(RateLimit(perSecond: 1_000_000), now: .max)
    #expect(isFull)
  }
}
