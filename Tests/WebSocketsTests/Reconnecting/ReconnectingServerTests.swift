import Testing
import WebSockets

/// The reconnecting client and the pool against servers on real sockets.
@Suite(.timeLimit(.minutes(5))) struct ReconnectingServerTests {
  private let echo: WebSocketServer.Route = { _ in
    .accept { socket in for try await message in socket { try await socket.send(message) } }
  }

  private var quick: ReconnectingWebSocketOptions {
    var options = ReconnectingWebSocketOptions()
    options.backoff = Backoff(baseMilliseconds: 5, maximumMilliseconds: 20)
    return options
  }

  @Test func aServerThatRestarts() async throws {
    var server = try await WebSocketServer(port: 0).start(echo)
    let socket = ReconnectingWebSocket("ws://127.0.0.1:\(server.port)/", options: quick)
    try await socket.connect()
    var iterator = socket.makeAsyncIterator()
    for round in 0..<3 {
      try await socket.send("\(round)")
      #expect(try await iterator.next() == .text("\(round)"))
      await server.shutdown(graceMilliseconds: 500)
      try await socket.send("meanwhile")
      server = try await WebSocketServer(port: server.port).start(echo)
      #expect(try await iterator.next() == .text("meanwhile"))
    }
    #expect(await socket.statistics.connections == 4)
    await socket.close()
    #expect(try await iterator.next() == nil)
    #expect(await socket.state == .closed)
    await server.shutdown()
  }

  @Test func callbacksAsInABrowser() async throws {
    let server = try await WebSocketServer(port: 0).start(echo)
    let (stream, words) = AsyncStream<String>.makeStream()
    var events = ReconnectingWebSocket.Events()
    events.onOpen = { words.yield("open") }
    events.onMessage = { words.yield("\($0)") }
    events.onClose = {
      words.yield("close \($0.code) \($0.isFinal)")
      words.finish()
    }
    let socket = ReconnectingWebSocket("ws://127.0.0.1:\(server.port)/", options: quick, events: events)
    socket.start()
    socket.post(.text("hello"))
    var heard: [String] = []
    for await word in stream {
      heard.append(word)
      if heard.count == 2 { socket.stop() }
    }
    #expect(heard == ["open", "text(\"hello\")", "close 1000 true"])
    await server.shutdown()
  }

  @Test func aPoolOnRealSockets() async throws {
    let server = try await WebSocketServer(port: 0).start(echo)
    // A machine may be busy with other things.
    var options = WebSocketPoolOptions()
    options.acquireTimeoutMilliseconds = 300_000
    options.requestTimeoutMilliseconds = 300_000
    let pool = WebSocketPool("ws://127.0.0.1:\(server.port)/", options: options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<200 {
        group.addTask {
          let reply = try await pool.request(.text("\(index)"))
          #expect(reply == .text("\(index)"))
        }
      }
      try await group.waitForAll()
    }
    #expect(await pool.connectionCount <= 8 && pool.counters["discarded"] == 0)
    // A connection may be made for a request that another one has served meanwhile.
    #expect((200...208).contains(pool.counters["created"] + pool.counters["reused"]))
    let total = try await pool.withConnection { lease in
      try await lease.send("a")
      try await lease.send("b")
      return [try await lease.receive(), try await lease.receive()]
    }
    #expect(total == [.text("a"), .text("b")])
    await pool.shutdown()
    await #expect(throws: WebSocketError.self) { try await pool.request(.text("late")) }
    await server.shutdown()
  }
}
