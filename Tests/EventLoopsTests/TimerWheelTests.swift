import TestRandomness
import Testing

@testable import EventLoops

private final class Target: TimerTarget {
  func timerFired(_ token: UInt64) {}
}

@Suite struct TimerWheelTests {
  private let target = Target()

  private func due(_ wheel: inout TimerWheel, _ now: UInt64) -> [UInt64] {
    var tokens: [UInt64] = []
    while let fired = wheel.popDue(now: now) { tokens.append(fired.token) }
    return tokens
  }

  @Test(arguments: 1...20)
  func firesLikeASortedList(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var now = UInt64.random(in: 0...(1 << 40), using: &random)
    var wheel = TimerWheel(time: now)
    var expected: [(deadline: UInt64, token: UInt64, id: TimerID)] = []
    for token in 0..<3_000 as Range<UInt64> {
      let far = UInt64.random(in: 0...30, using: &random)
      let deadline = now + UInt64.random(in: 0...(1 << far), using: &random)
      let id = wheel.insert(deadline: deadline, target: target, token: token)
      expected.append((max(deadline, now + 1), token, id))
      if token % 3 == 0, let victim = expected.indices.randomElement(using: &random) {
        let (first, second) = (
          wheel.cancel(expected[victim].id) != nil, wheel.cancel(expected[victim].id) != nil
        )
        #expect(first && !second)
        expected.remove(at: victim)
      }
      if token % 5 == 0 {
        now += UInt64.random(in: 0...(1 << UInt64.random(in: 0...20, using: &random)), using: &random)
        let fired = expected.filter { $0.deadline <= now }.sorted {
          ($0.deadline, $0.token) < ($1.deadline, $1.token)
        }
        expected.removeAll { $0.deadline <= now }
        let tokens = due(&wheel, now)
        #expect(tokens == fired.map(\.token))
        let staleCancelled = fired.contains { wheel.cancel($0.id) != nil }
        #expect(!staleCancelled)
      }
      let count = wheel.count
      #expect(count == expected.count)
      if let next = wheel.nextTime, let first = expected.map(\.deadline).min() {
        #expect(next > now && next <= first)
      }
    }
    let rest = expected.sorted { ($0.deadline, $0.token) < ($1.deadline, $1.token) }.map(\.token)
    let last = due(&wheel, now + (1 << 41))
    #expect(last == rest)
    let next = wheel.nextTime
    #expect(next == nil)
  }

  @Test func deadlinesAtTheEndOfTime() {
    var wheel = TimerWheel(time: 5)
    _ = wheel.insert(deadline: .max, target: target, token: 1)
    _ = wheel.insert(deadline: .max - 1, target: target, token: 2)
    let (early, late) = (due(&wheel, .max - 2), due(&wheel, .max))
    #expect(early == [] && late == [2, 1])
  }

  @Test func aPlaceUsedAgainDoesNotObeyItsOldName() {
    var wheel = TimerWheel(time: 0)
    let first = wheel.insert(deadline: 10, target: target, token: 1)
    let cancelled = wheel.cancel(first) === target
    #expect(cancelled)
    let second = wheel.insert(deadline: 20, target: target, token: 2)
    #expect(first.index == second.index)
    let (stale, none) = (wheel.cancel(first) != nil, wheel.cancel(.none) != nil)
    #expect(!stale && !none)
    let tokens = due(&wheel, 20)
    #expect(tokens == [2])
  }
}
