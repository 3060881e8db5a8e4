import EventLoops
import Synchronization
import Testing

@testable import WebSockets

/// Who a client is.
private final class User: Sendable {
  let name: String
  init(_ name: String) { self.name = name }
}

@Suite struct AuthenticationTests {
  private func serve(
    _ handler: WebSocketHandler,
    _ decide: @escaping @Sendable (HTTPRequest) async throws -> Authentication.Decision
  ) throws -> SimulatedServer {
    nonisolated(unsafe) let handler = handler
    return try SimulatedServer(
      Router { routes in
        routes.webSocket("/socket", configure: { $0.authentication = Authentication(decide: decide) }) { _ in
          handler
        }
        routes.webSocket("/async", configure: { $0.authentication = Authentication(decide: decide) }) {
          socket, _ in
          try await socket.send("you are \((socket.attachment as? User)?.name ?? "nobody")")
        }
      })
  }

  private func ask(_ server: SimulatedServer, _ request: String = openingRequest) throws -> SimulatedSocket {
    let client = try server.connect()
    client.send(Array(request.utf8))
    server.network.runUntilIdle()
    return client
  }

  private func text(_ socket: SimulatedSocket) -> String {
    String(decoding: socket.takeReceived(), as: UTF8.self)
  }

  @Test func theAttachmentIsReachable() throws {
    let handler = RecordingHandler()
    let server = try serve(handler) { .allow(User($0.queryItems.first?.value ?? "")) }
    _ = try ask(server, openingRequest.replacing("/socket", with: "/socket?user=ann"))
    #expect((handler.connection?.attachment as? User)?.name == "ann")
    let client = try ask(server, openingRequest.replacing("/socket", with: "/async?user=bob"))
    #expect(text(client).contains("you are bob"))
  }

  @Test func aRefusalIsTheApplicationsOwn() throws {
    let handler = RecordingHandler()
    let server = try serve(handler) { _ in
      var response = HTTPResponse.text(.unauthorized, "who?")
      response.fields.append("WWW-Authenticate", "Bearer")
      return .refuse(response)
    }
    let answer = text(try ask(server))
    #expect(answer.hasPrefix("HTTP/1.1 401 Unauthorized\r\n") && answer.hasSuffix("\r\n\r\nwho?"))
    #expect(answer.contains("\r\nWWW-Authenticate: Bearer\r\n"))
    #expect(handler.events.isEmpty)
  }

  @Test func anErrorIsNoAdmission() throws {
    let handler = RecordingHandler()
    let server = try serve(handler) { _ in throw CancellationError() }
    #expect(text(try ask(server)).hasPrefix("HTTP/1.1 500 "))
    #expect(handler.events.isEmpty)
  }

  @Test func nobodyIsAskedAboutWhatIsNoHandshake() throws {
    let server = try serve(RecordingHandler()) { _ in
      Issue.record("asked")
      return .allow(nil)
    }
    #expect(text(try ask(server, "GET /socket HTTP/1.1\r\nHost: x\r\n\r\n")).hasPrefix("HTTP/1.1 426 "))
    let foreign = openingRequest.dropLast(1) + "Origin: http://evil\r\n\r\n"
    #expect(text(try ask(server, String(foreign))).hasPrefix("HTTP/1.1 403 "))
  }

  @Test func aDecisionHasADeadline() throws {
    let handler = RecordingHandler()
    // Nothing ever resumes it but its cancellation, which comes with the deadline.
    let server = try serve(handler) { _ in
      for await _ in AsyncStream<Never>.makeStream().stream {}
      return .allow(nil)
    }
    let client = try ask(server)
    server.network.advance(milliseconds: 4_999)
    #expect(text(client).isEmpty)
    server.network.advance(milliseconds: 1)
    let answer = text(client)
    #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 5\r\n"))
    #expect(server.count(of: "authentication_timeouts") == 1)
    server.network.runUntilIdle()
    #expect(handler.events.isEmpty && text(client).isEmpty)
  }

  /// No time passes: what ends the decision is the client's going.
  @Test(arguments: [false, true])
  func theDecisionIsCancelledWhenTheClientGoes(reset: Bool) throws {
    let handler = RecordingHandler()
    let wasCancelled = Mutex(false)
    let server = try serve(handler) { _ in
      for await _ in AsyncStream<Never>.makeStream().stream {}
      wasCancelled.withLock { $0 = Task.isCancelled }
      return .allow(nil)
    }
    let client = try ask(server)
    #expect(text(client).isEmpty && !wasCancelled.withLock { $0 })
    if reset { client.reset() } else { client.end() }
    server.network.runUntilIdle()
    #expect(wasCancelled.withLock { $0 })
    #expect(handler.events.isEmpty && server.count(of: "authentication_timeouts") == 0)
    if !reset { #expect(text(client).hasPrefix("HTTP/1.1 400 ")) }
    server.network.advance(milliseconds: 10_000)
    #expect(server.registry.count == 0)
  }

  /// What arrives behind the request is kept, once; the client's end behind that is seen when it is let in.
  @Test func bytesBehindTheRequestDoNotHideWhoIsThere() throws {
    let (gate, open) = AsyncStream<Void>.makeStream()
    let handler = RecordingHandler()
    let server = try serve(handler) { _ in
      for await _ in gate { break }
      return .allow(nil)
    }
    let client = try ask(server)
    for text in ["one", "two", "three"] {
      client.send(clientFrame(0x81, Array(text.utf8)))
      server.network.runUntilIdle()
    }
    // The first was read; the others are the network's.
    #expect(client.other?.inbox.count == 20)
    open.yield(())
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "one", "two", "three"])
  }

  @Test(arguments: [
    "Connection", "upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Transfer-Encoding",
  ])
  func fieldsOfTheHandshakeCannotBeOverridden(name: String) throws {
    let handler = RecordingHandler()
    let server = try SimulatedServer(FieldService(handler, name))
    #expect(text(try ask(server)).hasPrefix("HTTP/1.1 500 "))
    #expect(handler.events.isEmpty)
  }
}

/// Upgrades with a field of its own.
private final class FieldService: HTTPService, @unchecked Sendable {
  private let handler: WebSocketHandler
  private let name: String

  init(_ handler: WebSocketHandler, _ name: String) {
    self.handler = handler
    self.name = name
  }

  func handle(_ exchange: HTTPExchange) { exchange.upgrade(to: handler, fields: [name: "x"]) }
}
