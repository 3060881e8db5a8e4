import HTTPCore
import Testing

@Suite struct HTTPResponseDecoderTests {
  private func head(_ code: Int, _ reason: String = "OK", _ fields: HTTPFields = [:]) -> DecodedEvent {
    .response(HTTPResponseHead(status: HTTPStatus(code: code, reason: reason), fields: fields))
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\neverything until the end", "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
  ])
  func everySplitGivesTheSameEvents(_ text: String) {
    let bytes = Array(text.utf8)
    let expected = decodeResponses([bytes], ends: true)
    for pieces in splits(bytes) { #expect(decodeResponses(pieces, ends: true) == expected) }
  }

  @Test func readsLengths() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n"
    #expect(
      decodeResponses([Array(text.utf8)], ends: true) == [
        head(200, "OK", ["Content-Length": "2"]), .body(Array("ok".utf8)), .end(nil), head(204, "No Content"),
        .end(nil),
      ])
  }

  @Test func readsUntilTheEnd() {
    let text = Array("HTTP/1.1 200 OK\r\n\r\nabc".utf8)
    #expect(decodeResponses([text], ends: true) == [head(200), .body(Array("abc".utf8)), .end(nil)])
    #expect(decodeResponses([text]) == [head(200), .body(Array("abc".utf8))])
  }

  @Test func interimResponsesHaveNoEnd() {
    let text = Array("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n".utf8)
    #expect(
      decodeResponses([text]) == [head(100, "Continue"), head(200, "", ["Content-Length": "0"]), .end(nil)])
  }

  @Test func aHeadRequestIsAnsweredWithoutBody() {
    let text = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".utf8)
    #expect(decodeResponses([text], to: .head).last == .end(nil))
    #expect(decodeResponses([Array("HTTP/1.1 200 OK\r\n\r\n".utf8)], to: .connect).last == .end(nil))
  }

  /// A method holds for one response, whatever interim ones come before it; the next one answers a GET again.
  @Test func anExpectationHoldsForOneResponse() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    let final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    let bytes = Array((interim + final + final + "ok").utf8)
    for pieces in splits(bytes) {
      let events = decodeResponses(pieces, to: .head, ends: true)
      #expect(
        events == [
          head(103, "Early Hints", ["Link": "a"]), head(200, "OK", ["Content-Length": "2"]), .end(nil),
          head(200, "OK", ["Content-Length": "2"]), .body(Array("ok".utf8)), .end(nil),
        ])
    }
  }

  @Test(arguments: [204, 304]) func someStatusesHaveNoBody(_ code: Int) {
    for field in ["Content-Length: 5", "Transfer-Encoding: chunked", "A: b"] {
      let text = Array(
        "HTTP/1.1 \(code) X\r\n\(field)\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
      let events = decodeResponses([text], ends: true)
      #expect(events.count == 4 && events.last == .end(nil))
    }
  }

  @Test func aBodyUntilTheEndIsLimited() {
    let text = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
    for count in [9, 10, 11] {
      let events = decodeResponses(
        [text, [UInt8](repeating: 1, count: 4), [UInt8](repeating: 2, count: count - 4)], ends: true,
        HTTPLimits(maximumBodyBytes: 10))
      #expect(events.last == (count <= 10 ? .end(nil) : .error(413)))
    }
  }

  @Test func randomChangesNeverTrap() {
    let text = Array(
      "HTTP/1.1 100 A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"
        .utf8)
    var state: UInt64 = 9
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<5_000 {
      var changed = text
      for _ in 0..<(1 + random(4)) { changed[random(text.count)] = UInt8(random(256)) }
      #expect(decodeResponses([changed], ends: true) == decodeResponses(changed.map { [$0] }, ends: true))
    }
  }

  @Test func bytesBehindAnUpgradeStay() throws {
    try Array("HTTP/1.1 101 Switching Protocols\r\n\r\nframes".utf8).withUnsafeBytes { bytes in
      var decoder = HTTPResponseDecoder()
      var input = bytes
      guard case .head(let head) = try decoder.next(&input) else {
        Issue.record("A head is expected.")
        return
      }
      #expect(head.status == .switchingProtocols)
      #expect(Array(input) == Array("frames".utf8))
      if case .some = try decoder.next(&input) { Issue.record("Nothing follows a switch of protocols.") }
      #expect(input.count == 6)
    }
  }

  @Test(arguments: [
    "HTTP/1.1\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
    "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 O\u{1}K\r\n\r\n", "HTTP/1.1 200 OK\n\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
  ])
  func badResponsesAreRefused(_ text: String) {
    guard case .error = decodeResponses([Array(text.utf8)]).last else {
      Issue.record("\(text.debugDescription) was taken.")
      return
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
  ])
  func aCutResponseIsAnError(_ text: String) {
    #expect(decodeResponses([Array(text.utf8)], ends: true).last == .error(400))
  }

  @Test func anEndBetweenResponsesIsNone() {
    #expect(decodeResponses([], ends: true).isEmpty)
  }
}
