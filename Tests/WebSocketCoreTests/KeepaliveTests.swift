import Testing

@testable import WebSocketCore

@Suite struct KeepaliveTests {
  private let limits = Keepalive.Limits(intervalMilliseconds: 25_000, deadlineMilliseconds: 8_000)

  private func keepalive() -> Keepalive { Keepalive(now: 1_000) }

  @Test func silenceAsksThenExpires() {
    var keepalive = keepalive()
    #expect(keepalive.delay(limits, now: 1_000) == 25_000)
    #expect(keepalive.tick(limits, now: 1_000) == .none && keepalive.tick(limits, now: 25_999) == .none)
    #expect(keepalive.tick(limits, now: 26_000) == .sendPing)
    #expect(keepalive.delay(limits, now: 26_000) == 8_000 && keepalive.delay(limits, now: 40_000) == 0)
    #expect(keepalive.tick(limits, now: 26_000) == .none && keepalive.tick(limits, now: 33_999) == .none)
    #expect(keepalive.tick(limits, now: 34_000) == .expired)
  }

  @Test func anySignOfLifeStartsTheIntervalAnew() {
    var keepalive = keepalive()
    keepalive.received(now: 20_000)
    #expect(keepalive.tick(limits, now: 26_000) == .none && keepalive.delay(limits, now: 26_000) == 19_000)
    #expect(keepalive.tick(limits, now: 45_000) == .sendPing)
    keepalive.received(now: 52_999)
    #expect(keepalive.delay(limits, now: 52_999) == 25_000)
    #expect(keepalive.tick(limits, now: 53_000) == .none && keepalive.tick(limits, now: 77_998) == .none)
    #expect(keepalive.tick(limits, now: 77_999) == .sendPing)
    #expect(keepalive.tick(limits, now: 85_999) == .expired)
  }

  /// A loop that slept too long asks before it gives up, and gives the peer the whole deadline.
  @Test func aLateTickStillAsksFirst() {
    var keepalive = keepalive()
    #expect(keepalive.tick(limits, now: 1_000_000) == .sendPing)
    #expect(keepalive.tick(limits, now: 1_007_999) == .none)
    #expect(keepalive.tick(limits, now: 1_008_000) == .expired)
  }

  @Test func zeroSwitchesItOff() {
    let limits = Keepalive.Limits(intervalMilliseconds: 0, deadlineMilliseconds: 8_000)
    var keepalive = Keepalive(now: 5)
    #expect(keepalive.delay(limits, now: 5) == nil && keepalive.tick(limits, now: .max) == .none)
  }

  /// Only half of the time is kept.
  @Test func timesBeyondHalfOfTheBitsAreDistances() {
    let start: UInt64 = 5 << 32 - 10_000
    var keepalive = Keepalive(now: start)
    #expect(keepalive.tick(limits, now: start + 24_999) == .none)
    #expect(keepalive.tick(limits, now: start + 25_000) == .sendPing)
    #expect(keepalive.delay(limits, now: start + 26_000) == 7_000)
    #expect(keepalive.tick(limits, now: start + 33_000) == .expired)
  }

  @Test func limitsEndAtTheLongestTime() {
    let limits = Keepalive.Limits(intervalMilliseconds: .max, deadlineMilliseconds: .max)
    #expect(limits.interval == UInt64(UInt32.max) && limits.deadline == UInt64(UInt32.max))
  }

  /// A hundred periods with a peer that answers after its whole deadline but one millisecond.
  @Test func aSlowPeerLives() throws {
    let limits = Keepalive.Limits(intervalMilliseconds: 10, deadlineMilliseconds: 5)
    var keepalive = Keepalive(now: 0)
    var pings = 0
    var answerAt: UInt64?
    for now in UInt64(0)..<1_401 {
      if answerAt == now {
        keepalive.received(now: now)
        answerAt = nil
      }
      switch keepalive.tick(limits, now: now) {
      case .none: break
      case .sendPing:
        pings += 1
        answerAt = now + 4
      case .expired: Issue.record("expired at \(now)")
      }
    }
    #expect(pings == 100)
  }
}
