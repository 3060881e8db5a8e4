import HTTPCore
import Testing

@Suite struct HTTPHeadsTests {
  @Test func statusesAreTheirCodes() {
    let statuses: Set = [HTTPStatus.ok, HTTPStatus(code: 200, reason: "Fine"), HTTPStatus(code: 201)]
    #expect(statuses.count == 2)
    #expect(HTTPStatus(code: 299).description == "299")
    #expect(HTTPStatus.notFound.description == "404 Not Found")
  }

  @Test func versionsHaveBothNumbers() {
    #expect(HTTPVersion.http10.major == 1 && HTTPVersion.http10.minor == 0)
    #expect(HTTPVersion.http11.major == 1 && HTTPVersion.http11.minor == 1)
  }
}
