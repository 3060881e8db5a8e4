import EventLoops
import HTTPCore
import Testing
import WebSocketCore

@testable import WebSockets

/// Answers `/stream` with a body that the test writes, everything else with its path.
private final class StreamService: HTTPService, @unchecked Sendable {
  var streams: [HTTPResponseStream] = []
  let handler = RecordingStreamHandler()
  var maximumQueuedBytes = 1 << 20

  func handle(_ exchange: HTTPExchange) {
    guard exchange.head.path == "/stream" else { return exchange.respond(.text(.ok, exchange.head.path)) }
    let fields: HTTPFields = ["Content-Type": "text/plain"]
    guard let stream = exchange.stream(fields: fields, maximumQueuedBytes: maximumQueuedBytes, to: handler)
    else { return handler.events.append("refused") }
    streams.append(stream)
  }
}

private final class RecordingStreamHandler: HTTPStreamHandler, @unchecked Sendable {
  var events: [String] = []

  override func drained(_ stream: HTTPResponseStream) { events.append("drained") }
  override func closed(_ stream: HTTPResponseStream) { events.append("closed, open: \(stream.isOpen)") }
  override func serverEnds(_ stream: HTTPResponseStream, code: CloseCode, reason: String) {
    events.append("ends \(code.rawValue)")
    stream.write(Array("bye".utf8))
    super.serverEnds(stream, code: code, reason: reason)
  }
}

/// Bodies that are written over time, on the simulated network.
@Suite struct HTTPResponseStreamTests {
  private let service = StreamService()
  private let server: SimulatedServer
  private let client: SimulatedSocket

  init() throws {
    server = try SimulatedServer(service)
    client = try server.connect()
  }

  private func send(_ request: String) {
    client.send(Array(request.utf8))
    server.network.runUntilIdle()
  }

  private func run(_ body: @escaping (HTTPResponseStream) -> Void) {
    let work = Work(streams: service.streams, body: body)
    server.loop.execute { work.run() }
    server.network.runUntilIdle()
  }

  private struct Work: @unchecked Sendable {
    let streams: [HTTPResponseStream]
    let body: (HTTPResponseStream) -> Void
    func run() { for stream in streams { body(stream) } }
  }

  private func received() -> String { String(decoding: client.takeReceived(), as: UTF8.self) }

  @Test func piecesAreChunksAndTheConnectionGoesOn() {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    let head = received()
    let start = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nDate: "
    #expect(head.hasPrefix(start))
    #expect(head.hasSuffix("\r\n\r\n") && !head.contains("Connection:"))
    run { $0.write(Array("hello".utf8)) }
    #expect(received() == "5\r\nhello\r\n")
    run { $0.write([UInt8](repeating: 120, count: 26)) }
    #expect(received() == "1a\r\n" + String(repeating: "x", count: 26) + "\r\n")
    // An empty chunk would end the body.
    run { #expect($0.write([])) }
    #expect(received() == "")
    run { $0.end() }
    #expect(received() == "0\r\n\r\n")
    run { #expect(!$0.isOpen && !$0.write([1])) }
    send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(received().hasSuffix("\r\n\r\n/next"))
    #expect(service.handler.events == [])
  }

  @Test func whatIsWrittenInOneTurnLeavesInOneCall() throws {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    let calls = try #require(client.other).writes.count
    run { stream in for _ in 0..<100 { stream.write([120]) } }
    #expect(client.other?.writes.count == calls + 1)
  }

  @Test func aClientOfHTTP10GetsTheBodyUpToTheEndOfTheConnection() {
    send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(received().contains("\r\nConnection: close\r\n"))
    run { $0.write(Array("hello".utf8)) }
    run { $0.end() }
    #expect(received() == "hello")
    #expect(client.endReceived)
  }

  @Test func headHasNoBody() {
    send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(received().contains("Transfer-Encoding: chunked\r\n"))
    run { #expect($0.write([120])) }
    run { $0.end() }
    #expect(received() == "")
    send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(received().hasSuffix("/next"))
  }

  @Test func connectionCloseIsKept() {
    send("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    run { $0.end() }
    #expect(received().hasSuffix("\r\nConnection: close\r\n\r\n0\r\n\r\n"))
    #expect(client.endReceived)
  }

  @Test func aFurtherRequestWaitsForTheBodyToEnd() {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(!received().contains("/a"))
    run { $0.end() }
    let rest = received()
    #expect(rest.hasPrefix("0\r\n\r\nHTTP/1.1 200 OK") && rest.contains("\r\n\r\n/aHTTP/1.1 200 OK"))
    #expect(rest.hasSuffix("\r\n\r\n/b"))
  }

  @Test(arguments: [true, false])
  func aClientThatGoesIsTold(isReset: Bool) {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    if isReset { client.reset() } else { client.end() }
    server.network.runUntilIdle()
    #expect(service.handler.events == ["closed, open: false"])
    run { #expect(!$0.write([1])) }
    server.network.advance(milliseconds: 5_000)
    #expect(server.registry.count == 0)
    #expect(service.handler.events.count == 1)
  }

  @Test func theEndOfTheServerIsTold() {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    _ = received()
    let registry = server.registry
    server.loop.execute { for connection in registry.all { connection.drain(code: .goingAway, reason: "") } }
    server.network.runUntilIdle()
    #expect(service.handler.events == ["ends 1001"])
    #expect(received() == "3\r\nbye\r\n0\r\n\r\n")
    #expect(client.endReceived)
  }

  @Test func noStreamBeginsWhileTheServerEnds() {
    server.registry.isDraining = true
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(received().hasPrefix("HTTP/1.1 503 "))
    #expect(service.handler.events == ["refused"])
  }

  /// At the limit, and one byte over it.
  @Test(arguments: [(995, true), (996, false)])
  func whatWaitsForASlowClientIsBounded(size: Int, isTaken: Bool) {
    service.maximumQueuedBytes = 1_000
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    client.other?.writeWindow = 0
    // "3e3" or "3e4", and two ends of lines.
    run { #expect($0.write([UInt8](repeating: 120, count: size - 2))) }
    run { #expect($0.bufferedByteCount == size + 5) }
    run { #expect($0.write([120]) == isTaken) }
    #expect(server.count(of: "slow_consumers") == (isTaken ? 0 : 1))
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(service.handler.events == ["drained"])
    run { #expect($0.write([120])) }
  }

  @Test func aCutBodyHasNoLastChunk() {
    send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    run { $0.abort() }
    #expect(!received().contains("0\r\n\r\n"))
    #expect(server.registry.count == 0)
  }
}
