import Testing
import WebSockets

/// The examples of docs/client.md, as they stand there but for ports and names.
@Suite(.timeLimit(.minutes(1))) struct ClientPageExampleTests {
  @Test func connectTalkClose() async throws {
    let server = try await WebSocketServer(port: 0).start { _ in
      .accept { socket in for try await message in socket { try await socket.send(message) } }
    }
    let answer = try await WebSocket.connect(to: "ws://127.0.0.1:\(server.port)/") { socket in
      try await socket.send("hello")
      for try await message in socket { return message }
      throw CancellationError()
    }
    #expect(answer == .text("hello"))
    await server.shutdown()
  }

  @Test func request() async throws {
    let server = try await WebSocketServer(port: 0, origins: .any).start { request in
      let fields = request.head.fields
      let names = ["Authorization", "Cookie", "Origin", "Sec-WebSocket-Protocol"]
      return .accept(subprotocol: "v1.chat") { socket in
        for name in names { try await socket.send(fields[name] ?? "none") }
      }
    }
    var options = WebSocketClientOptions()
    options.fields.append("Authorization", "Bearer abc")
    options.cookies = [("session", "abc"), ("theme", "dark")]
    options.subprotocols = ["v2.chat", "v1.chat"]
    options.origin = "https://app.example"
    let url = "ws://127.0.0.1:\(server.port)/"
    let (messages, chosen) = try await WebSocket.connect(to: url, options: options) { socket in
      var messages: [WebSocketMessage] = []
      for try await message in socket { messages.append(message) }
      return (messages, socket.subprotocol)
    }
    #expect(
      messages == [
        .text("Bearer abc"), .text("session=abc; theme=dark"), .text("https://app.example"),
        .text("v2.chat, v1.chat"),
      ])
    #expect(chosen == "v1.chat")
    await server.shutdown()
  }

  @Test func refusal() async throws {
    let server = try await WebSocketServer(port: 0).start { _ in
      var response = HTTPResponse.text(.tooManyRequests, "slow down")
      response.fields.append("Retry-After", "17")
      return .respond(response)
    }
    do {
      _ = try await WebSocket.connect(to: "ws://127.0.0.1:\(server.port)/")
      Issue.record("accepted")
    } catch {
      #expect(error.status?.code == 429 && error.retryAfterSeconds == 17)
      #expect(error.responseBody == "slow down" && error.responseFields?["Content-Length"] == "9")
    }
    await server.shutdown()
  }

  @Test func cancellation() async throws {
    // Connections are accepted by the kernel, and never answered.
    let server = try await WebSocketServer(port: 0).start { _ in
      try await Task.sleep(for: .seconds(600))
      return .reject(.notFound)
    }
    let url = "ws://127.0.0.1:\(server.port)/"
    let task = Task { try await WebSocket.connect(to: url) }
    while await server.connectionCount() == 0 { await Task.yield() }
    task.cancel()
    do {
      _ = try await task.value
      Issue.record("connected")
    } catch let error as WebSocketError { #expect(error.code == .cancelled) }
    await server.shutdown(graceMilliseconds: 0)
  }
}
