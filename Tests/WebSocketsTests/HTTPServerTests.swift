import Testing
import WebSockets

/// Tells the request back: method, target and body. `/later` is answered in a later turn, `/never` not at all.
private final class TellingService: HTTPService {
  func handle(_ exchange: HTTPExchange) {
    let head = exchange.head
    switch head.path {
    case "/later":
      _ = exchange.loop.schedule(after: 5) { exchange.respond(.text(.ok, "later")) }
    case "/never":
      break
    case "/socket":
      exchange.upgrade(to: EchoingHandler())
    default:
      let text = "\(head.method.rawValue) \(head.target) \(String(decoding: exchange.body, as: UTF8.self))"
      exchange.respond(.text(.ok, text))
    }
  }
}

final class EchoingHandler: WebSocketHandler {
  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    connection.send(message, kind)
  }
}

@Suite(.timeLimit(.minutes(5))) struct HTTPServerTests {
  private func serve(_ options: HTTPServerOptions = HTTPServerOptions()) async throws -> HTTPServer {
    try await HTTPServer.start(
      group: .singleton, host: "127.0.0.1", port: 0, options: options, service: TellingService())
  }

  /// The response without its `Date`, whose value is checked for its form only.
  private func withoutDate(_ response: String) -> String {
    response.split(separator: "\r\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
  }

  @Test func keepsTheConnectionForFurtherRequests() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    for index in 0..<3 {
      client.send("POST /a?\(index) HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
      let body = "POST /a?\(index) hi"
      let expected =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      #expect(withoutDate(client.receive(untilText: body)) == expected)
    }
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func answersPipelinedRequestsInOrder() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    client.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n"
        + "Connection: close\r\n\r\n")
    let text = client.receiveText()
    let bodies = text.components(separatedBy: "\r\n\r\n").dropFirst().map { $0.prefix(while: { $0 != "H" }) }
    #expect(bodies == ["GET /1 ", "later", "GET /2 "])
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func aHeadRequestGetsNoBody() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    client.send("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    let text = client.receiveText()
    #expect(text.contains("Content-Length: 8\r\n") && text.hasSuffix("\r\n\r\n"))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func continuesOnExpectation() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    client.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.receive(untilText: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("!")
    #expect(client.receive(untilText: "PUT /x !").hasPrefix("HTTP/1.1 200 OK\r\n"))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func aForgottenExchangeIsAnswered() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    client.send("GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(client.receiveText().hasPrefix("HTTP/1.1 500 "))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", 400), ("nonsense\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
    ("GET /" + String(repeating: "a", count: 70_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: " + String(repeating: "a", count: 70_000) + "\r\n\r\n", 431),
    ("GET /socket HTTP/1.1\r\nHost: x\r\n\r\n", 426),
  ])
  func badRequests(request: String, status: Int) async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    client.send(request)
    #expect(client.receive(untilText: ".\n").hasPrefix("HTTP/1.1 \(status) "))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func aSlowRequestIsTimedOut() async throws {
    let server = try await serve(HTTPServerOptions(requestTimeoutMilliseconds: 50))
    let client = try #require(RawClient(port: server.port))
    client.send("GET / HTTP/1.1\r\nHo")
    #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func anIdleConnectionIsClosed() async throws {
    let server = try await serve(
      HTTPServerOptions(requestTimeoutMilliseconds: 50, idleTimeoutMilliseconds: 60))
    let silent = try #require(RawClient(port: server.port))
    #expect(silent.receive().isEmpty)
    let client = try #require(RawClient(port: server.port))
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(client.receiveText().hasSuffix("GET / "))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func limitsThatAreMetAreCounted() async throws {
    let options = HTTPServerOptions(requestTimeoutMilliseconds: 50)
    let server = try await serve(options)
    for bytes in ["nonsense\r\n\r\n", "GET / HT"] {
      let client = try #require(RawClient(port: server.port))
      client.send(bytes)
      _ = client.receive()
    }
    for (frame, close) in [
      ([0x81, 0x01, 0x41], [0x03, 0xEA]), ([0x82, 0xFF, 0, 0, 0, 0, 1, 0, 0, 0], [0x03, 0xF1]),
    ]
      as [([UInt8], [UInt8])]
    {
      let client = try #require(RawClient(port: server.port))
      client.send(openingRequest)
      _ = client.receive(untilText: "\r\n\r\n")
      client.send(frame + [0, 0, 0, 0])
      #expect(client.receive().dropFirst(2).prefix(2).elementsEqual(close))
    }
    let counted = options.counters.values.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }
    #expect(counted == ["http_rejected 1", "http_timeouts 1", "messages_too_big 1", "protocol_errors 1"])
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func framesSentWithTheHandshakeAreServed() async throws {
    let server = try await serve()
    let client = try #require(RawClient(port: server.port))
    // RFC 6455 §5.7: the masked "Hello".
    client.send(
      Array(openingRequest.utf8) + [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
    let frame: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]
    let received = client.receive(until: frame)
    let head = String(decoding: received.dropLast(frame.count), as: UTF8.self)
    #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
    #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    // An empty close frame is answered by an empty close frame, and the stream ends.
    client.send([0x88, 0x80, 0, 0, 0, 0])
    #expect(client.receive() == [0x88, 0x00])
    await server.shutdown(graceMilliseconds: 0)
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
