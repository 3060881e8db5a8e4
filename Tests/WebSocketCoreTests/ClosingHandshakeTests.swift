import Testing

@testable import WebSocketCore

@Suite struct ClosingHandshakeTests {
  private typealias Outcome = ClosingHandshake.Outcome

  private func outcome(_ code: CloseCode, _ reason: String) -> Outcome { Outcome(code: code, reason: reason) }

  @Test func startsOpen() {
    let handshake = ClosingHandshake()
    #expect(handshake.state == .open && handshake.outcome == nil)
  }

  @Test func weCloseAndThePeerAnswers() {
    var handshake = ClosingHandshake()
    #expect(handshake.close() == true)
    #expect(handshake.state == .closeSent && handshake.outcome == nil)
    // A second close sends nothing.
    #expect(handshake.close() == false)
    #expect(handshake.receivedClose(.normal, reason: "done") == false)
    #expect(handshake.state == .finished && handshake.outcome == outcome(.normal, "done"))
    #expect(handshake.endOfStream(reason: "eof") == outcome(.normal, "done"))
  }

  @Test func thePeerClosesAndWeAnswer() {
    var handshake = ClosingHandshake()
    #expect(handshake.receivedClose(.goingAway, reason: "page left") == true)
    #expect(handshake.state == .finished && handshake.outcome == outcome(.goingAway, "page left"))
    #expect(handshake.close() == false)
    #expect(handshake.receivedClose(.normal, reason: "again") == false)
    #expect(handshake.fail(reason: "late") == false)
    #expect(handshake.endOfStream(reason: "eof") == outcome(.goingAway, "page left"))
  }

  @Test func aCloseWithoutCodeIs1005() {
    var handshake = ClosingHandshake()
    #expect(handshake.receivedClose(nil, reason: "") == true)
    #expect(handshake.outcome == outcome(.noStatus, ""))
  }

  @Test func failureWhileOpenSendsACloseFrame() {
    var handshake = ClosingHandshake()
    #expect(handshake.fail(reason: "bad frame") == true)
    #expect(handshake.state == .finished && handshake.outcome == outcome(.abnormal, "bad frame"))
    #expect(handshake.fail(reason: "again") == false)
    #expect(handshake.close() == false)
    #expect(handshake.receivedClose(.normal, reason: "late") == false)
    #expect(handshake.endOfStream(reason: "eof") == outcome(.abnormal, "bad frame"))
  }

  /// RFC 6455 §5.5.1: an endpoint sends one close frame only.
  @Test func failureAfterOurCloseSendsNothing() {
    var handshake = ClosingHandshake()
    #expect(handshake.close() == true)
    #expect(handshake.fail(reason: "bad frame") == false)
    #expect(handshake.state == .finished && handshake.outcome == outcome(.abnormal, "bad frame"))
  }

  @Test func theStreamEndsWithoutACloseFrame() {
    var open = ClosingHandshake()
    #expect(open.endOfStream(reason: "reset") == outcome(.abnormal, "reset"))
    #expect(open.state == .finished)
    #expect(open.close() == false)
    #expect(open.receivedClose(.normal, reason: "") == false)
    #expect(open.endOfStream(reason: "again") == outcome(.abnormal, "reset"))
    var sent = ClosingHandshake()
    #expect(sent.close() == true)
    #expect(sent.endOfStream(reason: "reset") == outcome(.abnormal, "reset"))
    #expect(sent.state == .finished)
  }
}
