import Testing

@testable import WebSocketCore

@Suite struct KeepaliveTests {
  private func keepalive() -> Keepalive {
    Keepalive(intervalMilliseconds: 25_000, deadlineMilliseconds: 8_000, now: 1_000)
  }

  @Test func silenceAsksThenExpires() {
    var keepalive = keepalive()
    #expect(keepalive.nextDeadline == 26_000)
    #expect(keepalive.tick(now: 1_000) == .none && keepalive.tick(now: 25_999) == .none)
    #expect(keepalive.tick(now: 26_000) == .sendPing)
    #expect(keepalive.nextDeadline == 34_000)
    #expect(keepalive.tick(now: 26_000) == .none && keepalive.tick(now: 33_999) == .none)
    #expect(keepalive.tick(now: 34_000) == .expired)
  }

  @Test func anySignOfLifeStartsTheIntervalAnew() {
    var keepalive = keepalive()
    keepalive.received(now: 20_000)
    #expect(keepalive.tick(now: 26_000) == .none && keepalive.nextDeadline == 45_000)
    #expect(keepalive.tick(now: 45_000) == .sendPing)
    keepalive.received(now: 52_999)
    #expect(keepalive.nextDeadline == 77_999)
    #expect(keepalive.tick(now: 53_000) == .none && keepalive.tick(now: 77_998) == .none)
    #expect(keepalive.tick(now: 77_999) == .sendPing)
    #expect(keepalive.tick(now: 85_999) == .expired)
  }

  /// A loop that slept too long asks before it gives up, and gives the peer the whole deadline.
  @Test func aLateTickStillAsksFirst() {
    var keepalive = keepalive()
    #expect(keepalive.tick(now: 1_000_000) == .sendPing)
    #expect(keepalive.tick(now: 1_007_999) == .none)
    #expect(keepalive.tick(now: 1_008_000) == .expired)
  }

  @Test func zeroSwitchesItOff() {
    var keepalive = Keepalive(intervalMilliseconds: 0, deadlineMilliseconds: 8_000, now: 5)
    #expect(keepalive.nextDeadline == nil && keepalive.tick(now: .max) == .none)
  }

  /// A hundred periods with a peer that answers after its whole deadline but one millisecond.
  @Test func aSlowPeerLives() throws {
    var keepalive = Keepalive(intervalMilliseconds: 10, deadlineMilliseconds: 5, now: 0)
    var pings = 0
    var answerAt: UInt64?
    for now in UInt64(0)..<1_401 {
      if answerAt == now {
        keepalive.received(now: now)
        answerAt = nil
      }
      switch keepalive.tick(now: now) {
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
