import TestRandomness
import Testing
import WebSockets

@Suite struct EndpointSelectorTests {
  private typealias Endpoint = EndpointSelector.Endpoint
  private typealias Health = EndpointSelector.Health

  private func make(
    _ weights: [Int], _ strategy: EndpointSelector.Strategy, _ health: EndpointSelector.Health = Health()
  ) -> EndpointSelector {
    EndpointSelector(
      weights.enumerated().map { Endpoint("ws://\($0)", weight: $1) }, strategy: strategy, health: health)
  }

  /// Chooses so many times.
  private func choices(
    _ selector: inout EndpointSelector, _ count: Int, now: UInt64 = 0, seed: UInt64 = 1
  ) -> [Int?] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in selector.select(now: now, using: &random) }
  }

  @Test func eachInTurn() {
    var selector = make([1, 1, 1], .roundRobin)
    #expect(choices(&selector, 7) == [0, 1, 2, 0, 1, 2, 0])
  }

  @Test func heavyOnesMoreOftenButSpread() {
    var selector = make([3, 1], .roundRobin)
    #expect(choices(&selector, 8) == [0, 0, 1, 0, 0, 0, 1, 0])
    var other = make([5, 1, 1], .roundRobin)
    let chosen = choices(&other, 700)
    #expect((0..<3).map { index in chosen.count { $0 == index } } == [500, 100, 100])
  }

  @Test func byChanceInProportion() {
    var selector = make([1, 2, 5], .random)
    let chosen = choices(&selector, 16_000, seed: 7)
    let counts = (0..<3).map { index in chosen.count { $0 == index } }
    for (count, expected) in zip(counts, [2_000, 4_000, 10_000]) {
      #expect(abs(count - expected) < 250, "\(counts)")
    }
  }

  @Test func theLeastLoaded() {
    var selector = make([1, 1, 1], .leastConnections)
    var random = SeededRandom(seed: 1)
    for _ in 0..<9 {
      if let index = selector.select(now: 0, using: &random) { selector.began(index) }
    }
    #expect(selector.endpoints.map(\.load) == [3, 3, 3])
    selector.ended(1)
    #expect(choices(&selector, 2) == [1, 1])
    selector.ended(2)
    selector.ended(2)
    #expect(choices(&selector, 1) == [2])
    // Equals in turn.
    var equal = make([1, 1, 1], .leastConnections)
    #expect(choices(&equal, 4) == [0, 1, 2, 0])
  }

  @Test func theLeastLoadedForItsWeight() {
    var selector = make([1, 3], .leastConnections)
    var random = SeededRandom(seed: 1)
    for _ in 0..<80 {
      if let index = selector.select(now: 0, using: &random) { selector.began(index) }
    }
    #expect(selector.endpoints.map(\.load) == [20, 60])
  }

  @Test func theFirstThatWorks() {
    var selector = make([1, 9, 9], .failover, Health(maximumFailures: 1, coolDownMilliseconds: 100))
    #expect(choices(&selector, 3) == [0, 0, 0])
    selector.failed(0, now: 0)
    #expect(choices(&selector, 2, now: 99) == [1, 1])
    selector.failed(1, now: 50)
    #expect(choices(&selector, 1, now: 99) == [2])
    // At the end of its cool-down the first is tried again, once.
    #expect(choices(&selector, 3, now: 100) == [0, 2, 2])
    selector.succeeded(0)
    #expect(choices(&selector, 2, now: 101) == [0, 0])
  }

  @Test(arguments: EndpointSelector.Strategy.allCases)
  func failuresInARowMakeItUnhealthy(strategy: EndpointSelector.Strategy) {
    var selector = make([1], strategy, Health(maximumFailures: 3, coolDownMilliseconds: 100))
    selector.failed(0, now: 0)
    selector.failed(0, now: 0)
    selector.succeeded(0)
    selector.failed(0, now: 0)
    selector.failed(0, now: 0)
    #expect(choices(&selector, 1, now: 0) == [0])
    selector.failed(0, now: 10)
    #expect(choices(&selector, 1, now: 109) == [nil])
    // Half open: one trial, which fails; then one which is never heard of, then one which succeeds.
    #expect(choices(&selector, 2, now: 110) == [0, nil])
    selector.failed(0, now: 120)
    #expect(choices(&selector, 1, now: 219) == [nil])
    #expect(choices(&selector, 2, now: 220) == [0, nil])
    #expect(choices(&selector, 2, now: 320) == [0, nil])
    selector.succeeded(0)
    #expect(choices(&selector, 2, now: 321) == [0, 0])
  }

  @Test func noEndpointIsUnhealthyWhereHealthIsOff() {
    var selector = make([1], .roundRobin, Health(maximumFailures: 0))
    for _ in 0..<100 { selector.failed(0, now: 0) }
    #expect(choices(&selector, 1) == [0])
  }

  @Test func anyIsTheOneDueFirst() {
    var selector = make([1, 1, 1], .roundRobin, Health(maximumFailures: 1, coolDownMilliseconds: 100))
    for (index, time) in [(0, 30), (1, 10), (2, 20)] as [(Int, UInt64)] { selector.failed(index, now: time) }
    var random = SeededRandom(seed: 1)
    let healthy = selector.select(now: 50, using: &random)
    let any = selector.selectAny(now: 50, using: &random)
    #expect(healthy == nil && any == 1)
    var none = make([], .random)
    let nothing = none.selectAny(now: 0, using: &random)
    #expect(nothing == nil)
  }

  @Test func othersCanBeLeftOut() {
    var selector = make([1, 1, 1], .roundRobin)
    var random = SeededRandom(seed: 1)
    let others = (0..<4).map { _ in selector.select(now: 0, using: &random) { $0 != 1 } }
    #expect(others == [0, 2, 0, 2])
    let none = selector.select(now: 0, using: &random) { _ in false }
    #expect(none == nil)
  }
}
