import HTTPCore
import Testing

@testable import WebSockets

@Suite struct HTTPTunnelTests {
  private let destination = ProxyDestination(host: "example.org", port: 443)

  private func refusal(_ answer: String, credentials: BasicCredentials? = nil) -> ProxyRefusal? {
    do {
      let dialogue = try Dialogue(HTTPTunnel(to: destination, credentials: credentials))
      try dialogue.feed(Array(answer.utf8))
      return nil
    } catch { return error }
  }

  @Test func asksForTheDestination() throws {
    let dialogue = try Dialogue(HTTPTunnel(to: destination, credentials: nil))
    #expect(
      dialogue.sent == [Array("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n".utf8)])
  }

  @Test func anAddressOfIPv6HasBrackets() throws {
    let dialogue = try Dialogue(HTTPTunnel(to: ProxyDestination(host: "::1", port: 80), credentials: nil))
    #expect(dialogue.sent == [Array("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n".utf8)])
  }

  /// RFC 7617 §2.1: the example with a non-ASCII password.
  @Test func sendsCredentials() throws {
    let credentials = BasicCredentials(user: "test", password: "123\u{A3}")
    let dialogue = try Dialogue(HTTPTunnel(to: destination, credentials: credentials))
    #expect(
      String(decoding: dialogue.sent[0], as: UTF8.self).contains(
        "\r\nProxy-Authorization: Basic dGVzdDoxMjPCow==\r\n"))
  }

  /// §9.3.6: "A client MUST ignore any Content-Length or Transfer-Encoding header fields received in a successful
  /// response to CONNECT."
  @Test(
    arguments: [
      "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: a\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ])
  func tunnels(_ answer: String) throws {
    let bytes = Array(answer.utf8) + [0, 1, 2, 0xFF]
    for size in 1...bytes.count {
      let dialogue = try Dialogue(HTTPTunnel(to: destination, credentials: nil))
      try dialogue.feed(bytes, pieces: size)
      #expect(dialogue.isEstablished && dialogue.rest == [0, 1, 2, 0xFF])
    }
    for end in answer.utf8.indices.dropFirst() {
      let dialogue = try Dialogue(HTTPTunnel(to: destination, credentials: nil))
      try dialogue.feed(Array(answer.utf8[..<end]))
      #expect(!dialogue.isEstablished)
    }
  }

  @Test(
    arguments: [
      (403, "does not allow connections to example.org:443: 403 Why."),
      (405, "does not make tunnels (CONNECT): 405 Why."),
      (502, "could not reach example.org:443: 502 Why."),
      (504, "got no answer from example.org:443 in time: 504 Why."),
      (418, "refuses a tunnel to example.org:443: 418 Why."),
      (302, "answers with a redirect (302 Why), which a tunnel cannot have."),
      (101, "refuses a tunnel to example.org:443: 101 Why."),
    ])
  func otherStatusesAreRefusals(_ code: Int, _ complaint: String) {
    let found = refusal("HTTP/1.1 \(code) Why\r\nContent-Length: 0\r\n\r\n")
    #expect(found?.complaint == complaint)
    #expect(found?.status?.code == code)
  }

  @Test func passwordWantedOrWrong() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
    #expect(refusal(answer)?.complaint.contains("wants a user name and a password") == true)
    let wrong = refusal(answer, credentials: BasicCredentials(user: "a", password: "b"))
    #expect(wrong?.complaint.contains("does not take this user name and password") == true)
    #expect(wrong?.fields?["Proxy-Authenticate"] == "Basic realm=x")
    // As tinyproxy answers to a wrong password.
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    #expect(refusal(unauthorized)?.complaint == "refuses example.org:443: 401 Unauthorized.")
    let other = refusal(unauthorized, credentials: BasicCredentials(user: "a", password: "b"))
    #expect(other?.complaint == "does not take this user name and password: 401 Unauthorized.")
  }

  @Test func garbageAndOversize() {
    #expect(refusal("SSH-2.0-x\r\n\r\n")?.complaint.hasPrefix("does not speak HTTP") == true)
    #expect(refusal("\u{5}\0")?.complaint.hasPrefix("does not speak HTTP") == true)
    let start = "HTTP/1.1 200 OK\r\nX: "
    let room = 16_384 - start.utf8.count - 4
    #expect(refusal(start + String(repeating: "a", count: room) + "\r\n\r\n") == nil)
    #expect(
      refusal(start + String(repeating: "a", count: room + 1) + "\r\n\r\n")?.complaint
        == "does not speak HTTP: The head is too large.")
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n"
    #expect(refusal(String(repeating: interim, count: 8) + "HTTP/1.1 200 OK\r\n\r\n") == nil)
    #expect(refusal(String(repeating: interim, count: 9))?.complaint.contains("without end") == true)
  }
}
