import Testing

@testable import Gateways

/// `#expect` takes no mutating calls.
private final class Breaker {
  private var breaker: CircuitBreaker

  init(threshold: Int, pauseMilliseconds: UInt64) {
    breaker = CircuitBreaker(threshold: threshold, pauseMilliseconds: pauseMilliseconds)
  }

  var state: CircuitBreaker.State { breaker.state }
  func admits(now: UInt64) -> Bool { breaker.admits(now: now) }
  func succeeded() { breaker.succeeded() }
  func failed(now: UInt64) -> Bool { breaker.failed(now: now) }
}

@Suite struct CircuitBreakerTests {
  @Test func itOpensAndClosesAgain() {
    let breaker = Breaker(threshold: 3, pauseMilliseconds: 100)
    for outcome in [false, false] {
      #expect(breaker.admits(now: 0))
      #expect(breaker.failed(now: 0) == outcome)
    }
    breaker.succeeded()
    #expect(breaker.failed(now: 1) == false)
    #expect(breaker.failed(now: 2) == false)
    #expect(breaker.admits(now: 3))
    #expect(breaker.failed(now: 3))
    #expect(!breaker.admits(now: 102))
    // Requests from before fail, too, and change nothing.
    #expect(!breaker.failed(now: 102))
    #expect(breaker.admits(now: 103))
    #expect(!breaker.admits(now: 103))
    #expect(breaker.failed(now: 103))
    #expect(!breaker.admits(now: 202))
    #expect(breaker.admits(now: 203))
    breaker.succeeded()
    #expect(breaker.state == .closed(failures: 0))
    #expect(breaker.admits(now: 203))
  }

  @Test func itMayBeOff() {
    let breaker = Breaker(threshold: 0, pauseMilliseconds: 100)
    for _ in 0..<100 { #expect(!breaker.failed(now: 0)) }
    #expect(breaker.admits(now: 0))
  }
}
