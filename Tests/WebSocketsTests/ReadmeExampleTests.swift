import Testing
import WebSockets

/// The README's example of the library, as it stands there but for its port and its end.
@Suite(.timeLimit(.minutes(1))) struct ReadmeExampleTests {
  @Test func echo() async throws {
    let port = try await freePort()
    let server = Task {
      try await WebSocketServer(port: port).run { request in
        guard request.path == "/echo" else { return .reject(.notFound) }
        return .accept { socket in
          for try await message in socket { try await socket.send(message) }
        }
      }
    }
    try await untilItListens(port)
    let answer = try await WebSocket.connect(to: "ws://127.0.0.1:\(port)/echo") { socket in
      try await socket.send("hello")
      for try await message in socket { return message }
      return .text("nothing came")
    }
    #expect(answer == .text("hello"))
    server.cancel()
    try await server.value
  }

  /// A port that was free a moment ago.
  private func freePort() async throws -> UInt16 {
    let server = try await WebSocketServer(port: 0).start { _ in .reject(.notFound) }
    await server.shutdown(graceMilliseconds: 0)
    return server.port
  }

  private func untilItListens(_ port: UInt16) async throws {
    while RawClient(port: port) == nil { await Task.yield() }
  }
}
