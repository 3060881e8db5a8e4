import Testing

@testable import Transport
@testable import WebSockets

@Suite struct RetryPolicyTests {
  private let policy = RetryPolicy()

  @Test func closeCodes() {
    let retry: [ClosedRange<UInt16>] = [
      1001...1001, 1004...1004, 1006...1006, 1011...1014, 1016...3499, 4000...4499,
    ]
    for code in 1000...4999 as ClosedRange<UInt16> {
      let expected: RetryPolicy.Decision = retry.contains { $0.contains(code) } ? .retry : .stop
      let error = WebSocketError(.closedAbnormally, "", closeCode: CloseCode(rawValue: code))
      #expect(policy.decision(for: error) == expected, "\(code)")
    }
  }

  @Test func statuses() {
    for code in 100...599 {
      let expected: RetryPolicy.Decision =
        [408, 425, 429].contains(code) || code >= 500 ? .retry : .stop
      let error = WebSocketError(.handshakeFailed, "", status: HTTPStatus(code: code))
      #expect(policy.decision(for: error) == expected, "\(code)")
    }
  }

  @Test(
    arguments: [
      (.connectFailed, .retry), (.handshakeFailed, .retry), (.proxyFailed, .retry), (.invalidURL, .stop),
      (.invalidOptions, .stop), (.invalidProxy, .stop), (.redirectRefused, .stop), (.cancelled, .stop),
    ] as [(WebSocketError.Code, RetryPolicy.Decision)])
  func otherFailures(code: WebSocketError.Code, decision: RetryPolicy.Decision) {
    #expect(policy.decision(for: WebSocketError(code, "")) == decision)
  }

  @Test(
    arguments: [(.certificateRejected, .stop), (.tlsFailed, .retry)]
      as [(
        TransportError.Code, RetryPolicy.Decision
      )])
  func tls(code: TransportError.Code, decision: RetryPolicy.Decision) {
    let error = WebSocketError(.tlsFailed, "", cause: TransportError(code, ""))
    #expect(policy.decision(for: error) == decision)
  }

  @Test func bothTablesCanBeReplaced() {
    let policy = RetryPolicy(
      closeCode: { $0 == .normal ? .retry : RetryPolicy.standard(for: $0) },
      status: { $0 == .unauthorized ? .retry : .stop })
    #expect(policy.decision(for: WebSocketError(.closedAbnormally, "", closeCode: .normal)) == .retry)
    #expect(policy.decision(for: WebSocketError(.closedAbnormally, "", closeCode: .protocolError)) == .stop)
    #expect(policy.decision(for: WebSocketError(.handshakeFailed, "", status: .unauthorized)) == .retry)
    let overloaded = WebSocketError(.handshakeFailed, "", status: HTTPStatus(code: 503))
    #expect(policy.decision(for: overloaded) == .stop)
  }

  @Test(
    arguments: [
      (nil, 0), (0, 0), (17, 17_000), (300, 300_000), (301, 300_000), (UInt64.max, 300_000),
    ] as [(UInt64?, UInt64)])
  func retryAfterIsHeededWithinBounds(seconds: UInt64?, milliseconds: UInt64) {
    var error = WebSocketError(.handshakeFailed, "", status: HTTPStatus(code: 503))
    error.retryAfterSeconds = seconds
    #expect(policy.retryAfterMilliseconds(of: error) == milliseconds)
  }
}
