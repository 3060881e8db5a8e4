import Testing
import WebSockets

/// The examples of docs/server.md.
@Suite(.timeLimit(.minutes(5))) struct ServerPageTests {
  @Test func routes() async throws {
    final class User: Sendable {
      let name: String
      init(_ name: String) { self.name = name }
    }

    let authentication = Authentication { request in
      guard let name = request.cookies["user"] else {
        return .refuse(.text(.unauthorized, "Log in first.\n"))
      }
      return .allow(User(name))
    }

    let router = Router { routes in
      routes.get("/health") { _ in .text(.ok, "fine\n") }
      routes.get("/rooms/{room}") { request in .text(.ok, "This is \(request.parameters["room"] ?? "").\n") }
      routes.webSocket(
        "/rooms/{room}/socket", subprotocols: ["v2.chat", "v1.chat"],
        configure: { $0.authentication = authentication }
      ) { socket, request in
        let name = (socket.attachment as? User)?.name ?? ""
        for try await message in socket {
          if case .text(let text) = message { try await socket.send("\(name): \(text)") }
        }
      }
    }

    let port = try await freePort()
    let serving = Task {
      try await WebSocketServer(port: port).run(router)
    }
    try await untilItListens(port)
    try await talk(port)
    serving.cancel()
    try await serving.value
  }

  private func talk(_ port: UInt16) async throws {
    let raw = try #require(RawClient(port: port))
    raw.send("GET /rooms/green HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(raw.receiveText().hasSuffix("\r\n\r\nThis is green.\n"))
    let url = "ws://127.0.0.1:\(port)/rooms/green/socket"
    let error = await #expect(throws: WebSocketError.self) { _ = try await WebSocket.connect(to: url) }
    #expect(error?.status == .unauthorized && error?.responseBody == "Log in first.\n")
    var options = WebSocketClientOptions()
    options.cookies = [("user", "ann")]
    options.subprotocols = ["v1.chat", "v3.chat"]
    try await WebSocket.connect(to: url, options: options) { socket in
      #expect(socket.subprotocol == "v1.chat")
      try await socket.send("hello")
      var messages = socket.makeAsyncIterator()
      #expect(try await messages.next() == .text("ann: hello"))
    }
  }

  @Test func whereItListens() async throws {
    let folder = TemporaryFolder()
    let run = folder.path
    folder.makeFolder("example")
    let router = Router { routes in routes.get("/") { _ in .text(.ok, "fine\n") } }
    let serving = Task {
      var options = HTTPServerOptions()
      options.listener.maximumConnections = 100_000
      options.listener.maximumConnectionsPerAddress = 100
      options.trustedProxies = [AddressRange("10.0.0.0/8")].compactMap { $0 }
      var server = WebSocketServer(port: 0, httpOptions: options)
      server.unixPath = "\(run)/example/example.sock"
      try await server.run(router)
    }
    while !folder.has("example/example.sock") { await Task.yield() }
    serving.cancel()
    try await serving.value
    #expect(!folder.has("example/example.sock"))
  }
}
