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
