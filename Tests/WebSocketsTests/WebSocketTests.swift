import Testing
import WebSockets

/// The asynchronous library against itself, on real sockets.
@Suite(.timeLimit(.minutes(5))) struct WebSocketTests {
  private func serve(
    _ driver: EventLoopDriver, options: WebSocketOptions = WebSocketOptions(),
    origins: OriginPolicy = .sameOrigin,
    _ route: @escaping WebSocketServer.Route
  ) async throws -> (server: HTTPServer, url: String) {
    let server = try await WebSocketServer(
      port: 0, options: options, origins: origins, group: .shared(driver)
    ).start(route)
    return (server, "ws://127.0.0.1:\(server.port)")
  }

  private let echo: WebSocketServer.Route = { _ in
    .accept { socket in
      for try await message in socket { try await socket.send(message) }
    }
  }

  @Test(arguments: drivers)
  func echoesTextAndBinaryInOrder(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, echo)
    let sent: [WebSocketMessage] = [
      .text(""), .text("hello"), .binary([]), .binary([0, 255, 1]), .text("häßlich 🐦"),
      .binary([UInt8](repeating: 7, count: 70_000)), .text(String(repeating: "x", count: 66_000)),
    ]
    let received = try await WebSocket.connect(to: url + "/echo") { socket in
      for message in sent { try await socket.send(message) }
      var received: [WebSocketMessage] = []
      for try await message in socket {
        received.append(message)
        if received.count == sent.count { break }
      }
      return received
    }
    #expect(received == sent)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aTaskOfTheGlobalPoolUsesASocketToo(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, echo)
    let socket = try await WebSocket.connect(to: url)
    try await socket.send("one")
    try await socket.send([2])
    var iterator = socket.makeAsyncIterator()
    #expect(try await iterator.next() == .text("one"))
    #expect(try await iterator.next() == .binary([2]))
    await socket.close()
    #expect(try await iterator.next() == nil)
    await server.shutdown()
  }

  /// The server's task waits without a cancellation handler; what has cancelled itself must not wait at all.
  @Test func aBodyMayCancelItself() async throws {
    let (server, url) = try await serve(.epoll) { _ in
      .accept { socket in
        withUnsafeCurrentTask { $0?.cancel() }
        for try await _ in socket {}
      }
    }
    let socket = try await WebSocket.connect(to: url)
    for try await _ in socket {}
    #expect(await socket.closeCode == .normal)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aRefusalTellsItsStatus(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver) { request in
      request.path == "/echo" ? .reject(.forbidden) : .reject(.notFound)
    }
    for (path, status) in [("/echo", 403), ("/other?x=1", 404)] {
      let error = await #expect(throws: WebSocketError.self) { try await WebSocket.connect(to: url + path) }
      #expect(error?.code == .handshakeFailed)
      #expect(error?.status?.code == status)
    }
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func anotherOriginIsRefusedByDefault(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, echo)
    var options = WebSocketClientOptions(origin: "http://evil.example")
    let error = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: url, options: options)
    }
    #expect(error?.status?.code == 403)
    options.origin = "http://127.0.0.1:\(server.port)"
    let socket = try await WebSocket.connect(to: url, options: options)
    await socket.close()
    await server.shutdown()
  }

  @Test func nobodyListens() async throws {
    let error = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: "ws://127.0.0.1:1/")
    }
    #expect(error?.code == .connectFailed)
    for url in ["http://example.com/", "ws://", "ws://exa mple/", "ws://host:99999/", "nonsense"] {
      let error = await #expect(throws: WebSocketError.self) { try await WebSocket.connect(to: url) }
      #expect(error?.code == .invalidURL)
    }
  }

  @Test(arguments: drivers)
  func aNormalClosureEndsTheIteration(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver) { _ in
      .accept { socket in
        try await socket.send("bye")
        await socket.close(code: .normal, reason: "done")
      }
    }
    let socket = try await WebSocket.connect(to: url)
    var received: [WebSocketMessage] = []
    for try await message in socket { received.append(message) }
    #expect(received == [.text("bye")])
    #expect(await socket.closeCode == .normal)
    #expect(await socket.closeReason == "done")
    await #expect(throws: WebSocketError.self) { try await socket.send("late") }
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func anAbnormalClosureThrowsItsCode(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver) { request in
      .accept { socket in
        if request.path == "/throw" { throw WebSocketServerTestError() }
        await socket.close(code: CloseCode(rawValue: 4321), reason: "no reason")
      }
    }
    for (path, code) in [("/", 4321), ("/throw", 1011)] as [(String, UInt16)] {
      let error = await #expect(throws: WebSocketError.self) {
        try await WebSocket.connect(to: url + path) { socket in for try await _ in socket {} }
      }
      #expect(error?.code == .closedAbnormally)
      #expect(error?.closeCode?.rawValue == code)
    }
    await server.shutdown()
  }

  @Test(arguments: [(99, true), (100, true), (101, false)])
  func aMessageLimit(size: Int, isWithin: Bool) async throws {
    let options = WebSocketOptions(limits: WebSocketLimits(maximumMessageBytes: 100))
    let (server, url) = try await serve(.automatic, options: options, echo)
    let socket = try await WebSocket.connect(to: url)
    let message = [UInt8](repeating: 1, count: size)
    try await socket.send(message)
    var iterator = socket.makeAsyncIterator()
    if isWithin {
      #expect(try await iterator.next() == .binary(message))
    } else {
      let error = await #expect(throws: WebSocketError.self) { _ = try await iterator.next() }
      #expect(error?.closeCode == .messageTooBig)
    }
    await socket.close()
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aSlowReaderHoldsTheSenderBackAndLosesNothing(driver: EventLoopDriver) async throws {
    let count = 3_000
    let (server, url) = try await serve(driver) { _ in
      .accept { socket in
        for index in 0..<count {
          try await socket.send(
            [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 10_000))
        }
      }
    }
    let socket = try await WebSocket.connect(to: url)
    var index = 0
    for try await message in socket {
      guard case .binary(let bytes) = message else { continue }
      #expect(bytes.count == 10_000 && bytes[0] == UInt8(truncatingIfNeeded: index))
      index += 1
      if index % 100 == 0 { await Task.yield() }
    }
    #expect(index == count)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aCancelledIterationEnds(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, echo)
    let socket = try await WebSocket.connect(to: url)
    let reader = Task { for try await _ in socket {} }
    try await socket.send("x")
    reader.cancel()
    try await reader.value
    await socket.close()
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aSubprotocolIsAgreedOn(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver) { request in
      .accept(subprotocol: request.subprotocols.contains("b") ? "b" : nil) { socket in
        try await socket.send(socket.subprotocol ?? "none")
      }
    }
    let socket = try await WebSocket.connect(
      to: url, options: WebSocketClientOptions(subprotocols: ["a", "b"]))
    #expect(socket.subprotocol == "b")
    var iterator = socket.makeAsyncIterator()
    #expect(try await iterator.next() == .text("b"))
    await socket.close()
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aShutdownClosesWithItsCode(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, echo)
    let sockets = try await withThrowingTaskGroup(of: WebSocket.self) { group in
      for _ in 0..<20 { group.addTask { try await WebSocket.connect(to: url) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(await server.connectionCount() == 20)
    await server.shutdown(code: .goingAway, reason: "restart", spreadMilliseconds: 100)
    for socket in sockets {
      for try await _ in socket {}
      #expect(await socket.closeCode == .goingAway)
      #expect(await socket.closeReason == "restart")
    }
    #expect(await server.connectionCount() == 0)
    await #expect(throws: WebSocketError.self) { try await WebSocket.connect(to: url) }
  }

  @Test func runEndsWhenItsTaskIsCancelled() async throws {
    let task = Task { try await WebSocketServer(port: 0).run { _ in .reject(.notFound) } }
    task.cancel()
    try await task.value
  }
}

private struct WebSocketServerTestError: Error {}
