import EventLoops
import Synchronization
import Testing
import WebSocketCore

@testable import WebSockets

/// A WebSocket for who asks for one; else a response as long as the path's number says.
private final class MixedService: HTTPService {
  func handle(_ exchange: HTTPExchange) {
    if exchange.head.fields["Upgrade"] != nil {
      return exchange.upgrade(to: RecordingHandler(), options: WebSocketOptions())
    }
    let count = Int(exchange.head.path.dropFirst()) ?? 0
    exchange.respond(.text(.ok, String(repeating: "x", count: count)))
  }
}

/// Shutting down while all kinds of connections are in the middle of something.
@Suite struct ServerDrainTests {
  private func drain(
    _ server: SimulatedServer, spread: UInt64 = 0, grace: UInt64 = 1_000
  ) -> (drain: RegistryDrain, isDone: @Sendable () -> Bool) {
    let drain = RegistryDrain(
      registry: server.registry, code: .goingAway, reason: "bye", spread: spread, grace: grace)
    let isDone = Flag()
    server.loop.execute { drain.start { isDone.set() } }
    server.network.runUntilIdle()
    return (drain, { isDone.isSet })
  }

  private func text(_ socket: SimulatedSocket) -> String {
    String(decoding: socket.takeReceived(), as: UTF8.self)
  }

  private func get(_ path: String) -> [UInt8] { Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) }

  @Test func aConnectionThatComesDuringTheDrainIsEnded() throws {
    let server = try SimulatedServer(MixedService())
    server.registry.isDraining = true
    let client = try server.connect()
    #expect(client.endReceived)
  }

  @Test func aRequestUnderWayIsAnsweredAndTheLast() throws {
    let server = try SimulatedServer(MixedService())
    let (idle, slow, socket) = (try server.connect(), try server.connect(), try server.connectWebSocket())
    slow.send(get("/3").dropLast(2))
    server.network.runUntilIdle()
    let (drain, isDone) = drain(server)
    #expect(idle.endReceived && !slow.endReceived && !isDone())
    #expect(socket.takeReceived() == [0x88, 5, 0x03, 0xE9] + Array("bye".utf8))
    socket.send(clientFrame(0x88, [0x03, 0xE9]))
    slow.send(get("/3").suffix(2))
    server.network.runUntilIdle()
    let answer = text(slow)
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nxxx") && slow.endReceived)
    #expect(answer.contains("\r\nConnection: close\r\n"))
    for client in [idle, slow, socket] { client.end() }
    server.network.advance(milliseconds: 100)
    #expect(isDone() && server.registry.count == 0)
    withExtendedLifetime(drain) {}
  }

  /// The closes are spread; whose turn has not come yet gets no WebSocket that nobody would close.
  @Test func whatIsAskedForMeanwhileIsTheLast() throws {
    let server = try SimulatedServer(MixedService())
    let clients = try (0..<40).map { _ in try server.connect() }
    let (drain, isDone) = drain(server, spread: 2_000)
    let waiting = clients.filter { !$0.endReceived }
    #expect(waiting.count == 39)
    waiting[0].send(get("/3"))
    waiting[1].send(Array(openingRequest.utf8))
    server.network.runUntilIdle()
    #expect(text(waiting[0]).contains("\r\nConnection: close\r\n") && waiting[0].endReceived)
    #expect(text(waiting[1]).hasPrefix("HTTP/1.1 503 ") && waiting[1].endReceived)
    for client in clients { client.end() }
    server.network.advance(milliseconds: 2_100)
    #expect(isDone() && server.registry.count == 0)
    withExtendedLifetime(drain) {}
  }

  @Test func aResponseOnItsWayIsTakenWholeAndTheLast() throws {
    let server = try SimulatedServer(MixedService())
    let client = try server.connect()
    client.other?.writeWindow = 1_000
    client.send(get("/100000"))
    server.network.runUntilIdle()
    let (drain, isDone) = drain(server)
    #expect(!client.endReceived && !isDone())
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(text(client).utf8.count > 100_000 && client.endReceived)
    client.end()
    server.network.advance(milliseconds: 100)
    #expect(isDone())
    withExtendedLifetime(drain) {}
  }

  @Test func whoDoesNotEndIsCutAfterTheGrace() throws {
    let server = try SimulatedServer(MixedService())
    let (slow, socket) = (try server.connect(), try server.connectWebSocket())
    slow.send(Array("GET".utf8))
    server.network.runUntilIdle()
    let (drain, isDone) = drain(server, spread: 500, grace: 1_000)
    server.network.advance(milliseconds: 1_400)
    #expect(!isDone() && server.registry.count == 2)
    server.network.advance(milliseconds: 200)
    #expect(isDone() && server.registry.count == 0)
    #expect(slow.error != 0 && socket.error != 0)
    withExtendedLifetime(drain) {}
  }
}

/// Is set once.
private final class Flag: Sendable {
  private let state = Mutex(false)
  var isSet: Bool { state.withLock { $0 } }
  func set() { state.withLock { $0 = true } }
}
