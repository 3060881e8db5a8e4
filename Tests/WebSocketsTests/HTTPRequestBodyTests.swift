import EventLoops
import HTTPCore
import Testing

@testable import WebSockets

/// Reads bodies as they come: `/now` answers before the end, `/later` begins when the test says so.
private final class Reader: HTTPBodyHandler, HTTPService, @unchecked Sendable {
  var events: [String] = []
  var exchange: HTTPExchange?
  var body: HTTPRequestBody?
  /// Pauses after each piece.
  var pauses = false

  func streamsBody(of head: HTTPRequestHead) -> Bool { head.path != "/whole" }

  func handle(_ exchange: HTTPExchange) {
    events.append("\(exchange.head.path) \(exchange.body.count)")
    switch exchange.head.path {
    case "/whole": return exchange.respond(.text(.ok, "whole"))
    case "/now": return exchange.respond(.text(.unauthorized, "no"))
    case "/forgotten": return
    default: break
    }
    self.exchange = exchange
    body = exchange.incomingBody
    if exchange.head.path != "/later" { body?.read(by: self) }
  }

  override func received(_ bytes: UnsafeRawBufferPointer, of body: HTTPRequestBody) {
    events.append(String(decoding: bytes, as: UTF8.self))
    if pauses { body.pause() }
  }

  override func ended(_ body: HTTPRequestBody) {
    events.append("end")
    exchange?.respond(.text(.ok, "done"))
  }

  override func closed(_ body: HTTPRequestBody) {
    events.append("closed")
    // It leads back here.
    exchange = nil
  }

  func take() -> [String] {
    defer { events = [] }
    return events
  }
}

@Suite("Bodies of requests that are read as they arrive") struct HTTPRequestBodyTests {
  private let reader = Reader()

  private func server(_ options: HTTPServerOptions = HTTPServerOptions()) throws -> (
    SimulatedServer, SimulatedSocket
  ) {
    let server = try SimulatedServer(reader, options: options)
    return (server, try server.connect())
  }

  private func send(_ text: String, _ client: SimulatedSocket, _ server: SimulatedServer) -> String {
    client.send(Array(text.utf8))
    server.network.runUntilIdle()
    return received(client)
  }

  /// Statuses and bodies.
  private func received(_ client: SimulatedSocket) -> String {
    let lines = String(decoding: client.takeReceived(), as: UTF8.self).split(separator: "\r\n")
    return lines.filter { !$0.contains(": ") }.map { $0.replacing("HTTP/1.1 ", with: "") }.joined(
      separator: "|")
  }

  private func onLoop(_ server: SimulatedServer, _ body: @escaping (Reader) -> Void) {
    let work = Work(body: body)
    server.loop.execute { [reader] in work.body(reader) }
    server.network.runUntilIdle()
  }

  private struct Work: @unchecked Sendable { let body: (Reader) -> Void }

  @Test func piecesAndTheNextRequest() throws {
    let (server, client) = try server()
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"
    #expect(send(head + "ab", client, server) == "")
    #expect(reader.take() == ["/a 0", "ab"])
    #expect(send("cd", client, server) == "")
    let whole = "POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    #expect(send("ef" + whole, client, server) == "200 OK|done200 OK|whole")
    #expect(reader.take() == ["cd", "ef", "end", "/whole 2"])
    let chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(send(chunked + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", client, server) == "200 OK|done")
    #expect(reader.take() == ["/a 0", "ab", "c", "end"])
    #expect(send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", client, server) == "200 OK|done")
    #expect(reader.take() == ["/a 0", "end"])
  }

  @Test("Longer than a body that is collected may be")
  func length() throws {
    var limits = HTTPLimits()
    limits.maximumBodyBytes = 4
    for (path, count, answer) in [
      ("/a", 5, "200 OK|done"), ("/a", 4, "200 OK|done"), ("/whole", 4, "200 OK|whole"),
    ] {
      let (server, client) = try server(HTTPServerOptions(limits: limits))
      let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n"
      #expect(send(head + String(repeating: "x", count: count), client, server) == answer)
    }
    for field in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
      let (server, client) = try server(HTTPServerOptions(limits: limits))
      let head = "POST /whole HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n5\r\n"
      #expect(send(head, client, server).hasPrefix("413 "))
    }
  }

  @Test("A reader that pauses holds the client back")
  func pausing() throws {
    let (server, client) = try server()
    reader.pauses = true
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    _ = send(head + "1\r\na\r\n1\r\nb\r\n", client, server)
    #expect(reader.take() == ["/a 0", "a"])
    _ = send("1\r\nc\r\n", client, server)
    // Who is held back is not slow.
    server.network.advance(milliseconds: 60_000)
    #expect(reader.take().isEmpty && server.count(of: "http_timeouts") == 0)
    for piece in ["b", "c"] {
      onLoop(server) { $0.body?.resume() }
      #expect(reader.take() == [piece])
    }
    reader.pauses = false
    onLoop(server) { $0.body?.resume() }
    #expect(
      send("1\r\nd\r\n0\r\n\r\nGET /whole HTTP/1.1\r\nHost: x\r\n\r\n", client, server)
        == "200 OK|done200 OK|whole")
    #expect(reader.take() == ["d", "end", "/whole 0"])
  }

  @Test("Behind a body whose end had to wait the connection goes on")
  func theNextRequest() throws {
    let (server, client) = try server()
    reader.pauses = true
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in 0..<2 {
      #expect(send(head + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", client, server) == "")
      for _ in 0..<2 { onLoop(server) { $0.body?.resume() } }
      #expect(received(client) == "200 OK|done")
      #expect(reader.take() == ["/a 0", "a", "b", "end"])
    }
  }

  @Test func aBodyWaitsForItsReader() throws {
    let (server, client) = try server()
    _ = send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", client, server)
    #expect(reader.take() == ["/later 0"])
    onLoop(server) { $0.body?.read(by: $0) }
    #expect(received(client) == "200 OK|done")
    #expect(reader.take() == ["ab", "end"])
  }

  @Test("An answer before the end of the body ends the connection behind it")
  func earlyAnswer() throws {
    for path in ["/now", "/forgotten"] {
      let (server, client) = try server()
      let text = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nabc"
      #expect(
        send(text + "GET /whole HTTP/1.1\r\n", client, server).hasPrefix(path == "/now" ? "401 " : "100 "))
      server.network.advance(milliseconds: 3_000)
      #expect(server.registry.count == 0)
      #expect(reader.take() == ["\(path) 0"])
    }
    let (server, client) = try server()
    _ = send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", client, server)
    onLoop(server) { $0.exchange?.respond(.text(.badRequest, "enough")) }
    #expect(received(client) == "400 Bad Request|enough")
    #expect(send("defghi", client, server) == "")
    #expect(reader.take() == ["/a 0", "abc", "closed"])
  }

  @Test func expectations() throws {
    let (server, client) = try server()
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
    #expect(send(head, client, server) == "100 Continue")
    #expect(send("a", client, server) == "200 OK|done")
  }

  @Test("The reader hears of a client that goes, that is slow, and that breaks the protocol")
  func losses() throws {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    do {
      let (server, client) = try server()
      _ = send(head, client, server)
      client.end()
      server.network.runUntilIdle()
      #expect(reader.take() == ["/a 0", "a", "closed"])
    }
    do {
      let (server, client) = try server()
      _ = send(head, client, server)
      #expect(send("x\r\n", client, server).hasPrefix("400 "))
      #expect(reader.take() == ["/a 0", "a", "closed"])
    }
    do {
      let (server, client) = try server()
      _ = send(head, client, server)
      server.network.advance(milliseconds: 9_999)
      _ = send("1\r\nb\r\n", client, server)
      server.network.advance(milliseconds: 9_999)
      #expect(reader.take() == ["/a 0", "a", "b"])
      server.network.advance(milliseconds: 1)
      #expect(received(client).hasPrefix("408 "))
      #expect(reader.take() == ["closed"] && server.count(of: "http_timeouts") == 1)
    }
  }

  @Test("A client that ends its side behind a body that is still held back gets its answer")
  func theEndComesEarly() throws {
    let (server, client) = try server()
    reader.pauses = true
    _ = send(
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
      client, server)
    client.end()
    server.network.runUntilIdle()
    reader.pauses = false
    onLoop(server) { $0.body?.resume() }
    #expect(received(client) == "200 OK|done")
    #expect(reader.take() == ["/a 0", "a", "b", "end"])
  }
}
