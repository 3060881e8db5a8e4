import CLinux
import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct ClientHandshakeTests {
  private let client = SimulatedClient()

  init() { client.listen(.loopback(port: 80)) }

  private func refuse(_ response: String) -> WebSocketError? {
    client.connect("ws://127.0.0.1/")
    client.send(response)
    return client.error
  }

  @Test(arguments: [8, 9]) func interimResponsesArePassedOver(_ count: Int) {
    client.connect("ws://127.0.0.1/")
    let request = client.received()
    client.send(String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", count: count))
    client.send(switching(request))
    #expect(client.isOpen == (count == 8))
    #expect((client.error?.message.contains("without end") == true) == (count == 9))
  }

  @Test func theResponseCanBeRead() throws {
    client.connect("ws://127.0.0.1/")
    client.send(switching(client.received(), "Set-Cookie: a=b\r\nset-cookie: c=d; HttpOnly\r\n"))
    let socket = try #require(try? client.results.first?.get())
    #expect(socket.responseFields.values(of: "Set-Cookie") == ["a=b", "c=d; HttpOnly"])
  }

  /// What a server says behind its response comes with it, or in any pieces.
  @Test func splitAnywhere() {
    for size in [1, 2, 3, 7, 64, 1_000] {
      let client = SimulatedClient()
      client.listen(.loopback(port: 80))
      client.connect("ws://127.0.0.1/")
      let bytes = Array(switching(client.received()).utf8) + [0x81, 2, 0x68, 0x69]
      for start in stride(from: 0, to: bytes.count, by: size) {
        client.send(Array(bytes[start..<min(bytes.count, start + size)]))
      }
      #expect(client.handler.events == ["opened", "hi"])
    }
  }

  @Test func aRefusalIsKept() {
    let error = refuse(
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 9\r\n\r\nslow down")
    #expect(error?.code == .handshakeFailed && error?.status?.code == 429)
    #expect(error?.retryAfterSeconds == 17 && error?.responseBody == "slow down")
    #expect(error?.responseFields?["content-length"] == "9")
    #expect(client.peers[0].error == ECONNRESET)
  }

  @Test func retryAfterADate() {
    let error = refuse(
      "HTTP/1.1 503 X\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
        + "Content-Length: 0\r\n\r\n")
    #expect(error?.retryAfterSeconds == 60 && error?.responseBody == nil)
  }

  @Test(arguments: [4_095, 4_096, 4_097, 100_000]) func atMost4KiBOfABody(_ count: Int) {
    let error = refuse(
      "HTTP/1.1 500 X\r\nContent-Length: \(count)\r\n\r\n" + String(repeating: "a", count: count))
    #expect(error?.responseBody?.utf8.count == min(count, 4_096) && error?.status?.code == 500)
  }

  @Test func bodiesOfAnySizeAndKind() {
    let huge = refuse(
      "HTTP/1.1 403 X\r\nContent-Length: 99999999999\r\n\r\n" + String(repeating: "a", count: 5_000))
    #expect(huge?.status?.code == 403 && huge?.responseBody?.utf8.count == 4_096)
    for (body, expected) in [("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"), ("3\r\nabc\r\nxx", "abc")] {
      let client = SimulatedClient()
      client.listen(.loopback(port: 80))
      client.connect("ws://127.0.0.1/")
      client.send("HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
      #expect(client.error?.responseBody == expected && client.error?.status?.code == 403)
    }
  }

  @Test func aBodyThatDoesNotEnd() {
    #expect(refuse("HTTP/1.1 403 X\r\n\r\nno") == nil)
    client.network.advance(milliseconds: 999)
    #expect(client.results.isEmpty)
    client.network.advance(milliseconds: 1)
    #expect(client.error?.responseBody == "no" && client.error?.status?.code == 403)
  }

  @Test(arguments: [true, false]) func aBodyThatIsCutShort(_ isReset: Bool) {
    #expect(refuse("HTTP/1.1 403 X\r\nContent-Length: 10\r\n\r\nno") == nil)
    if isReset { client.peers[0].reset() } else { client.peers[0].end() }
    client.network.runUntilIdle()
    #expect(client.error?.responseBody == "no" && client.results.count == 1)
  }

  @Test func notUTF8() {
    client.connect("ws://127.0.0.1/")
    client.send(Array("HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\n".utf8) + [0x61, 0xFF])
    #expect(client.error?.responseBody == "a\u{FFFD}")
  }

  @Test func garbageAndEarlyEnds() {
    #expect(refuse("SSH-2.0\r\n\r\n")?.message == "The server's answer is not valid HTTP.")
    client.connect("ws://127.0.0.1/")
    client.peers[1].send(Array("HTTP/1.1 101 ".utf8))
    client.peers[1].end()
    client.network.runUntilIdle()
    #expect(client.results.count == 2)
    client.connect("ws://127.0.0.1/")
    client.network.advance(milliseconds: 10_000)
    #expect(client.results.count == 3)
  }

  @Test(
    arguments: [
      (["Upgrade": "h2c"], "Upgrade"), (["connection": "close"], "connection"),
      (["Sec-WebSocket-Key": "x"], "Sec-WebSocket-Key"),
      (["SEC-WEBSOCKET-PROTOCOL": "x"], "option for subprotocols"),
      (["Content-Length": "1"], "Content-Length"), (["Transfer-Encoding": "chunked"], "Transfer-Encoding"),
      (["a b": "x"], "a b"), (["": "x"], "name"), (["X": "a\r\nY: b"], "control character"),
      (["Host": "a", "host": "b"], "twice"),
    ] as [(HTTPFields, String)])
  func reservedAndBrokenFields(_ fields: HTTPFields, _ part: String) {
    client.connect("ws://127.0.0.1/", WebSocketClientOptions(fields: fields))
    #expect(client.error?.code == .invalidOptions && client.error?.message.contains(part) == true)
    #expect(client.peers.isEmpty)
  }

  @Test(arguments: [
    ("", "x"), ("a b", "x"), ("a=", "x"), ("a", "x y"), ("a", "x;y"), ("a", "x,y"), ("a", "é"),
    ("a", "\""), ("a", "\"x"), ("a", "x\\"), ("a", "x\n"),
  ])
  func brokenCookies(_ name: String, _ value: String) {
    client.connect("ws://127.0.0.1/", WebSocketClientOptions(cookies: [(name, value)]))
    #expect(client.error?.code == .invalidOptions && client.peers.isEmpty)
  }

  @Test func cookiesAndHost() {
    var options = WebSocketClientOptions(fields: ["Host": "virtual.example"])
    options.cookies = [("a", "1"), ("b", "\"x=y\""), ("c", "")]
    client.connect("ws://127.0.0.1/", options)
    let request = client.received()
    #expect(request.contains("\r\nCookie: a=1; b=\"x=y\"; c=\r\n"))
    #expect(request.contains("\r\nHost: virtual.example\r\n") && !request.contains("Host: 127.0.0.1"))
  }

  @Test(arguments: [["a b"], [""], ["a,b"], ["a", "a"], ["é"]]) func brokenSubprotocols(_ names: [String]) {
    client.connect("ws://127.0.0.1/", WebSocketClientOptions(subprotocols: names))
    #expect(client.error?.code == .invalidOptions)
  }

  @Test(
    arguments: [
      ("u%40x:p%3A%2F%40", "Basic dUB4OnA6L0A="), ("u", "Basic dTo="), ("%C3%BC:%E2%82%AC", "Basic w7w64oKs"),
    ])
  func passwordsOfURLs(_ userInfo: String, _ value: String) {
    client.connect("ws://\(userInfo)@127.0.0.1/")
    #expect(client.received().contains("\r\nAuthorization: \(value)\r\n"))
  }

  @Test func oneAuthorization() {
    client.connect("ws://u:p@127.0.0.1/", WebSocketClientOptions(fields: ["Authorization": "Bearer t"]))
    let request = client.received()
    #expect(request.contains("Authorization: Bearer t\r\n") && !request.contains("Basic"))
    let first = client.attempt
    client.connect("ws://u%3Ax:p@127.0.0.1/")
    #expect(client.results.count == 1)
    first?.cancel()
  }
}
