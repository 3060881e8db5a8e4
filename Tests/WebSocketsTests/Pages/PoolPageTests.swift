import Testing
import WebSockets

/// The examples of docs/pool.md.
@Suite(.timeLimit(.minutes(5))) struct PoolPageTests {
  @Test func oneQuestion() async throws {
    let (server, port) = try await startEcho()
    let printed = PrintedLines()
    func print(_ items: Any...) { printed.print(items) }

    let pool = WebSocketPool("ws://127.0.0.1:\(port)/")
    let reply = try await pool.request(.text("hello"))
    print(reply)
    await pool.shutdown()

    #expect(await printed.next() == [#"text("hello")"#])
    await server.shutdown()
  }

  @Test func dialogue() async throws {
    let (server, port) = try await startEcho()
    let pool = WebSocketPool("ws://127.0.0.1:\(port)/")

    let total = try await pool.withConnection { lease in
      try await lease.send(#"{"open":"account 7"}"#)
      _ = try await lease.receive()
      return try await lease.request(.text(#"{"sum":true}"#))
    }

    #expect(total == .text(#"{"sum":true}"#))
    await pool.shutdown()
    await server.shutdown()
  }

  @Test func manyQuestions() async throws {
    let (server, port) = try await startEcho()

    var options = WebSocketPoolOptions()
    options.correlation = { message in
      guard case .text(let text) = message else { return nil }
      return UInt64(text.prefix { $0 != " " })
    }
    let pool = WebSocketPool("ws://127.0.0.1:\(port)/", options: options)
    let reply = try await pool.request(numbered: { .text("\($0) what time is it?") })

    guard case .text(let text) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(text.hasSuffix(" what time is it?"))
    await pool.shutdown()
    await server.shutdown()
  }
}
