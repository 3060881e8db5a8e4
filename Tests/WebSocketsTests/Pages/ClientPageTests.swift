import Testing
import WebSockets

/// The examples of docs/client.md.
@Suite(.timeLimit(.minutes(5))) struct ClientPageTests {
  @Test func connectTalkClose() async throws {
    let (server, port) = try await startEcho()
    let answer = try await WebSocket.connect(to: "ws://127.0.0.1:\(port)/") { socket in
      try await socket.send("hello")
      for try await message in socket { return message }
      throw CancellationError()
    }
    #expect(answer == .text("hello"))
    await server.shutdown()
  }

  @Test func roundTrip() async throws {
    let (server, port) = try await startEcho()
    try await WebSocket.connect(to: "ws://127.0.0.1:\(port)/") { socket in
      let time = try await socket.roundTripTime()
      #expect(time > .zero)
    }
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
    options.proxy = .url("http://user:password@proxy.example:3128")
    options.proxy = .none
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
      response.fields.append("Server", "example")
      return .respond(response)
    }
    let url = "ws://127.0.0.1:\(server.port)/"
    let printed = PrintedLines()
    func print(_ item: some CustomStringConvertible) { printed.print([item]) }
    do {
      _ = try await WebSocket.connect(to: url)
    } catch {  // a WebSocketError
      print(error.status?.code ?? 0)  // 429
      print(error.retryAfterSeconds ?? 0)
      print(error.responseBody ?? "")
      print(error.responseFields?["Server"] ?? "")
    }
    #expect(await printed.next(4) == ["429", "17", "slow down", "example"])
    await server.shutdown()
  }

  @Test func cancellation() async throws {
    // Connections are accepted by the kernel, and never answered.
    let server = try await WebSocketServer(port: 0).start { _ in
      try await Task.sleep(for: .seconds(600))
      return .reject(.notFound)
    }
    let url = "ws://127.0.0.1:\(server.port)/"
    // Longer than a busy machine takes to come to the cancellation.
    let options = WebSocketClientOptions(handshakeTimeoutMilliseconds: 600_000)
    let task = Task { try await WebSocket.connect(to: url, options: options) }
    while await server.connectionCount() == 0 { await Task.yield() }
    task.cancel()
    do {
      _ = try await task.value
      Issue.record("connected")
    } catch let error as WebSocketError { #expect(error.code == .cancelled) }
    await server.shutdown(graceMilliseconds: 0)
  }
}
