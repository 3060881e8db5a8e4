import Testing

@testable import WebSocketCore

@Suite struct CloseCodeTests {
  @Test func everyCode() {
    let sendable = Set([1000...1003, 1007...1014, 3000...4999].joined().map { UInt16($0) })
    for raw in 0...UInt16.max where CloseCode(rawValue: raw).isSendable != sendable.contains(raw) {
      Issue.record("\(raw)")
    }
  }

  @Test func names() {
    let codes: [CloseCode] = [
      .normal, .goingAway, .protocolError, .unsupportedData, .noStatus, .abnormal, .invalidPayload,
      .policyViolation, .messageTooBig, .mandatoryExtension, .internalError, .serviceRestart, .tryAgainLater,
      .badGateway, .tlsHandshake,
    ]
    #expect(
      codes.map(\.rawValue) == [
        1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015,
      ])
    #expect(CloseCode.goingAway.description == "1001")
  }
}
