import Testing
import WebSockets

/// The examples of docs/reconnecting.md.
@Suite(.timeLimit(.minutes(5))) struct ReconnectingPageTests {
  @Test func iteration() async throws {
    let (server, port) = try await startEcho()
    let printed = PrintedLines()
    func print(_ items: Any...) { printed.print(items) }

    let socket = ReconnectingWebSocket("ws://127.0.0.1:\(port)/")
    socket.start()
    try await socket.send("hello")
    for try await message in socket {
      print(message)
      await socket.close()
    }
    #expect(await printed.next() == [#"text("hello")"#])
    await server.shutdown()
  }

  @Test func closures() async throws {
    let (server, port) = try await startEcho()
    let printed = PrintedLines()
    @Sendable func print(_ items: Any...) { printed.print(items) }

    var events = ReconnectingWebSocket.Events()
    events.onOpen = { print("open") }
    events.onMessage = { print("message", $0) }
    events.onClose = { print("closed", $0.code, $0.isFinal ? "for good" : "for now") }
    events.onReconnecting = { print("attempt \($0) in \($1) ms") }
    let socket = ReconnectingWebSocket("ws://127.0.0.1:\(port)/", events: events)
    try await socket.connect()
    socket.post(.text("hello"))

    #expect(await printed.next(2) == ["open", #"message text("hello")"#])
    await socket.close()
    #expect(await printed.next() == ["closed 1000 for good"])
    await server.shutdown()
  }

  /// The page's hosts do not exist: this is compiled and not run.
  private func tokens(fetchToken: @escaping @Sendable () async throws -> String) -> ReconnectingWebSocket {
    var options = ReconnectingWebSocketOptions()
    options.refresh = { target, attempt in
      var fresh = target
      fresh.options.fields.set("Authorization", "Bearer \(try await fetchToken())")
      return fresh
    }
    options.resubscribe = { socket in try await socket.send(#"{"subscribe":"news"}"#) }
    options.retry.status = { $0 == .unauthorized ? .retry : RetryPolicy.standard(for: $0) }
    let socket = ReconnectingWebSocket("wss://example.com/feed", options: options)
    return socket
  }

  private func severalServers() -> ReconnectingWebSocket {
    var options = ReconnectingWebSocketOptions()
    options.selection = .failover
    let socket = ReconnectingWebSocket(
      [.init("wss://one.example.com/feed"), .init("wss://two.example.com/feed")], options: options)
    return socket
  }
}
