import TestRandomness
import Testing
import WebSockets

@Suite struct BackoffTests {
  @Test func theCeilingDoublesUpToTheMaximum() {
    var backoff = Backoff(baseMilliseconds: 500, maximumMilliseconds: 30_000)
    var random = SeededRandom(seed: 1)
    var ceilings: [UInt64] = []
    for _ in 0..<9 {
      ceilings.append(backoff.ceilingMilliseconds)
      _ = backoff.nextDelay(using: &random)
    }
    #expect(ceilings == [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    #expect(backoff.attempts == 9)
  }

  /// Full jitter: every delay below the ceiling, spread evenly.
  @Test(arguments: [0, 1, 3, 6, 60, 200]) func fullJitter(attempts: Int) {
    var random = SeededRandom(seed: UInt64(attempts))
    var start = Backoff()
    for _ in 0..<attempts { _ = start.nextDelay(using: &random) }
    let ceiling = start.ceilingMilliseconds
    var tenths = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 {
      var backoff = start
      let delay = backoff.nextDelay(using: &random)
      #expect(delay < ceiling)
      tenths[Int(delay * 10 / ceiling)] += 1
    }
    #expect(tenths.allSatisfy { (850...1_150).contains($0) }, "\(tenths)")
  }

  @Test func extremesDoNotTrap() {
    var random = SeededRandom(seed: 2)
    var none = Backoff(baseMilliseconds: 0, maximumMilliseconds: 0)
    var huge = Backoff(baseMilliseconds: .max, maximumMilliseconds: .max)
    for _ in 0..<200 {
      let delay = none.nextDelay(using: &random)
      #expect(delay == 0)
      _ = huge.nextDelay(using: &random)
    }
    #expect(huge.ceilingMilliseconds == .max)
  }

  @Test(arguments: [(9_999, 3), (10_000, 0), (10_001, 0)]) func aStableConnectionBeginsAnew(
    open: UInt64, attempts: Int
  ) {
    var backoff = Backoff()
    var random = SeededRandom(seed: 3)
    for _ in 0..<3 { _ = backoff.nextDelay(using: &random) }
    backoff.opened(now: 1_000)
    let wasStable = backoff.closed(now: 1_000 + open)
    #expect(wasStable == (attempts == 0))
    #expect(backoff.attempts == attempts)
    // An end without a beginning says nothing.
    let isStable = backoff.closed(now: 1_000_000)
    #expect(!isStable && backoff.attempts == attempts)
  }
}
