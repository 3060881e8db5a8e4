import Testing
import WebSockets

/// The README's example of the library.
@Suite(.timeLimit(.minutes(5))) struct ReadmeTests {
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
    let printed = PrintedLines()
    let client = Task {
      @Sendable func print(_ items: Any...) { printed.print(items) }
      try await WebSocket.connect(to: "ws://127.0.0.1:\(port)/echo") { socket in
        try await socket.send("hello")
        for try await message in socket { print(message) }
      }
    }
    #expect(await printed.next() == [#"text("hello")"#])
    server.cancel()
    try await server.value
    try await client.value
  }
}
