import Testing
import WebSockets

/// The handler of docs/streaming.md.
private final class StreamingEcho: WebSocketHandler {
  override func receivedFragment(
    _ fragment: UnsafeRawBufferPointer, _ kind: MessageKind, isFirst: Bool, isFinal: Bool,
    on connection: WebSocketConnection
  ) {
    if isFirst { connection.beginMessage(kind) }
    connection.sendFragment(fragment, isFinal: isFinal)
    if connection.isBackedUp(beyond: 256 << 10) { connection.pauseReading() }
  }

  override func drained(_ connection: WebSocketConnection) { connection.resumeReading() }
}

/// The examples of docs/streaming.md.
@Suite(.timeLimit(.minutes(5))) struct StreamingPageTests {
  @Test func throughTheHandler() async throws {
    let server = try await WebSocketServer(port: 0, options: WebSocketOptions(delivery: .fragments)).start {
      _ in
      .handle { StreamingEcho() }
    }
    let url = "ws://127.0.0.1:\(server.port)/"
    let pieces = [[1, 2, 3], [], [4], [UInt8](repeating: 5, count: 600_000)] as [[UInt8]]
    let answer = try await WebSocket.connect(to: url) { socket in
      try await socket.send(.binary) { message in
        for piece in pieces { try await message.write(piece) }
      }
      for try await message in socket { return message }
      throw CancellationError()
    }
    #expect(answer == .binary(Array(pieces.joined())))
    await server.shutdown()
  }

  @Test func receiving() async throws {
    let server = try await WebSocketServer(port: 0).start { _ in
      .accept { socket in
        try await socket.send(.text) { message in
          for piece in ["one", "three"] { try await message.write(Array(piece.utf8)) }
        }
        for try await _ in socket {}
      }
    }
    let port = server.port
    let printed = PrintedLines()
    @Sendable func print(_ items: Any...) { printed.print(items) }
    var options = WebSocketClientOptions()
    options.socket.delivery = .fragments
    try await WebSocket.connect(to: "ws://127.0.0.1:\(port)", options: options) { socket in
      for try await fragment in socket.fragments {
        print(fragment.bytes.count)
        if fragment.isFinal { break }
      }
    }
    var count = 0
    while count < 8 { count += Int(await printed.next()[0]) ?? 9 }
    #expect(count == 8)
    await server.shutdown()
  }
}
