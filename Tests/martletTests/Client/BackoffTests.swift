import Testing

@testable import martlet

@Suite("Backoff") struct BackoffTests {
  @Test("Waits grow to the maximum, with full jitter")
  func growth() {
    var random = SeededRandom(seed: 1)
    for attempt in 0..<100 {
      let ceiling = min(20_000, 500 << UInt64(min(attempt, 20)))
      var waits: [UInt64] = []
      for _ in 0..<200 {
        var backoff = Backoff()
        for _ in 0..<attempt { _ = backoff.next(using: &random) }
        waits.append(backoff.next(using: &random))
      }
      #expect(waits.allSatisfy { $0 <= ceiling })
      #expect(waits.contains { $0 < ceiling / 4 })
      #expect(waits.contains { $0 > ceiling / 4 * 3 })
    }
  }

  @Test("A connection that was made starts over")
  func reset() {
    var random = SeededRandom(seed: 2)
    var backoff = Backoff()
    for _ in 0..<10 { _ = backoff.next(using: &random) }
    backoff.reset()
    #expect(backoff.next(using: &random) <= 500)
  }
}
