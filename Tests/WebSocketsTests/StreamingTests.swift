import Testing
@testable import WebSockets

/// Messages in pieces through the asynchronous library, on real sockets.
@Suite(.timeLimit(.minutes(5))) struct StreamingTests {
  private func serve(
    _ driver: EventLoopDriver, _ options: WebSocketOptions,
    _ body: @escaping @Sendable (WebSocket) async throws -> Void
  ) async throws -> (server: HTTPServer, url: String) {
    let server = try await WebSocketServer(port: 0, options: options, group: .shared(driver)).start { _ in
      .accept(body)
    }
    return (server, "ws://127.0.0.1:\(server.port)")
  }

  /// Sends each message back in the pieces it came in.
  private let streamingEcho: @Sendable (WebSocket) async throws -> Void = { socket in
    var pieces = socket.fragments.makeAsyncIterator()
    while let first = try await pieces.next() {
      try await socket.send(first.kind) { message in
        var piece = first
        while true {
          try await message.write(piece.bytes)
          guard !piece.isFinal, let next = try await pieces.next() else { return }
          piece = next
        }
      }
    }
  }

  @Test(arguments: [
    nil, DeflateOptions.standard, DeflateOptions(sendsWithContext: true, receivesWithContext: true),
  ])
  func aLargeMessagePassesThrough(_ compression: DeflateOptions?) async throws {
    // Far more than the limit on whole messages and than any queue.
    let options = WebSocketOptions(
      limits: WebSocketLimits(maximumMessageBytes: 64 << 10), compression: compression, delivery: .fragments,
      maximumQueuedBytes: 256 << 10)
    let (server, url) = try await serve(.automatic, options, streamingEcho)
    let pieceCount = 200
    let size = 32_768
    try await WebSocket.connect(to: url, options: WebSocketClientOptions(socket: options)) { socket in
      async let sending: Void = socket.send(.binary) { message in
        for index in 0..<pieceCount { try await message.write([UInt8](repeating: UInt8(index), count: size)) }
      }
      var received = 0
      for try await fragment in socket.fragments {
        for byte in fragment.bytes {
          if byte != UInt8(received / size) { Issue.record("wrong byte at \(received)") }
          received += 1
        }
        if fragment.isFinal { break }
      }
      try await sending
      #expect(received == pieceCount * size)
    }
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func wholeMessagesOfASocketInPieces(driver: EventLoopDriver) async throws {
    let options = WebSocketOptions(
      limits: WebSocketLimits(maximumMessageBytes: 10), delivery: .fragments)
    let (server, url) = try await serve(driver, WebSocketOptions()) { socket in
      try await socket.send("äöü")
      try await socket.send(.binary) { message in
        for piece in [[1, 2], [], [3]] as [[UInt8]] { try await message.write(piece) }
      }
      try await socket.send(String(repeating: "x", count: 10))
      try await socket.send(String(repeating: "x", count: 11))
      for try await _ in socket {}
      #expect(await socket.closeCode == .messageTooBig)
    }
    let socket = try await WebSocket.connect(to: url, options: WebSocketClientOptions(socket: options))
    var messages = socket.makeAsyncIterator()
    #expect(try await messages.next() == .text("äöü"))
    #expect(try await messages.next() == .binary([1, 2, 3]))
    #expect(try await messages.next() == .text(String(repeating: "x", count: 10)))
    let error = await #expect(throws: WebSocketError.self) { try await messages.next() }
    #expect(error?.closeCode == .messageTooBig)
    await socket.close()
    await server.shutdown()
  }

  struct Failure: Error {}

  @Test(arguments: drivers)
  func whatCannotBeCompletedClosesTheConnection(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, WebSocketOptions(delivery: .fragments), streamingEcho)
    let socket = try await WebSocket.connect(to: url)
    await #expect(throws: Failure.self) {
      try await socket.send(.text) { message in
        try await message.write("begun")
        throw Failure()
      }
    }
    await #expect(throws: WebSocketError.self) { try await socket.send("more") }
    await #expect(throws: WebSocketError.self) { try await socket.send(.text) { _ in } }
    await socket.close()
    #expect(await socket.closeCode == .internalError)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func cancellationClosesTheConnection(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, WebSocketOptions(delivery: .fragments), streamingEcho)
    let socket = try await WebSocket.connect(to: url)
    let (began, signal) = AsyncStream<Void>.makeStream()
    let sending = Task {
      try await socket.send(.binary) { message in
        while true {
          try await message.write([UInt8](repeating: 0, count: 1_000))
          signal.yield()
          try Task.checkCancellation()
        }
      }
    }
    for await _ in began { break }
    sending.cancel()
    await #expect(throws: CancellationError.self) { try await sending.value }
    await socket.close()
    #expect(await socket.closeCode == .goingAway)
    await server.shutdown()
  }

  /// A sender of much waits for the end of a message in pieces, and the end comes.
  @Test(arguments: drivers)
  func largeMessagesWaitBehindPieces(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, WebSocketOptions()) { socket in
      for try await message in socket { try await socket.send(message) }
    }
    let large = String(repeating: "x", count: 300_000)
    try await WebSocket.connect(to: url) { socket in
      let (begins, began) = AsyncStream<Void>.makeStream()
      let (holds, held) = AsyncStream<Void>.makeStream()
      async let streaming: Void = socket.send(.binary) { message in
        try await message.write([1])
        began.finish()
        for await _ in holds {}
        try await message.write([2])
      }
      for await _ in begins {}
      async let sending: Void = {
        for _ in 0..<4 { try await socket.send(large) }
      }()
      while await socket.onLoop({ $0.connection.heldByteCount }) == 0 { await Task.yield() }
      held.finish()
      try await streaming
      var messages = socket.makeAsyncIterator()
      #expect(try await messages.next() == .binary([1, 2]))
      for _ in 0..<4 { #expect(try await messages.next() == .text(large)) }
      try await sending
    }
    await server.shutdown()
  }

  /// Tasks that stream at the same time take turns, and whole messages do not come between.
  @Test(arguments: drivers)
  func messagesInPiecesTakeTurns(driver: EventLoopDriver) async throws {
    let (server, url) = try await serve(driver, WebSocketOptions()) { socket in
      for try await message in socket { try await socket.send(message) }
    }
    try await WebSocket.connect(to: url) { socket in
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for name in ["a", "b", "c", "d"] {
          tasks.addTask {
            try await socket.send(.text) { message in
              for _ in 0..<50 {
                try await message.write(name)
                await Task.yield()
              }
            }
          }
          tasks.addTask { try await socket.send("whole") }
        }
        try await tasks.waitForAll()
      }
      var received: [String] = []
      for try await case .text(let text) in socket {
        received.append(text)
        if received.count == 8 { break }
      }
      let expected = ["a", "b", "c", "d"].map { String(repeating: $0, count: 50) }
      #expect(received.sorted() == (expected + Array(repeating: "whole", count: 4)).sorted())
    }
    await server.shutdown()
  }
}
