import Testing

@testable import WebSockets

@Suite struct RoundTripTests {
  @Test func aPongAnswersItsPing() async throws {
    let server = try await WebSocketServer(port: 0).start { _ in
      .accept { socket in for try await _ in socket {} }
    }
    let time = try await WebSocket.connect(to: "ws://127.0.0.1:\(server.port)/") { socket in
      async let one = socket.roundTripTime()
      async let two = socket.roundTripTime()
      return try await max(one, two)
    }
    #expect(time > .zero && time < .seconds(10))
    await server.shutdown()
  }

  @Test func theConnectionEndsBeforeThePong() async throws {
    let server = try await WebSocketServer(port: 0).start { _ in .accept { _ in } }
    let socket = try await WebSocket.connect(to: "ws://127.0.0.1:\(server.port)/")
    for try await _ in socket {}
    await #expect(throws: WebSocketError.self) { try await socket.roundTripTime() }
    await server.shutdown()
  }
}
