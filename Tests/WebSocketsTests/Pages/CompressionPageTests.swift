import Testing
import WebSockets

/// Keeps its connection where the example of a broadcast finds it.
private final class Subscriber: WebSocketHandler {
  nonisolated(unsafe) static var connections: [WebSocketConnection] = []

  override func opened(_ connection: WebSocketConnection) { Self.connections.append(connection) }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    Self.broadcast(String(decoding: message, as: UTF8.self), to: Self.connections)
  }

  private static func broadcast(_ text: String, to connections: [WebSocketConnection]) {
    let message = PreparedMessage(text, compression: .standard)
    for connection in connections { connection.send(message) }
  }
}

/// The examples of docs/compression.md.
@Suite(.timeLimit(.minutes(5))) struct CompressionPageTests {
  @Test func broadcast() async throws {
    var options = WebSocketOptions()
    options.compression = .standard
    let group = EventLoopGroup(loops: 1)
    let server = try await WebSocketServer(port: 0, options: options, group: group).start { _ in
      .handle { Subscriber() }
    }
    let url = "ws://127.0.0.1:\(server.port)/"
    let plain = try await WebSocket.connect(to: url)
    let compressing = try await WebSocket.connect(to: url, options: WebSocketClientOptions(socket: options))
    let text = String(repeating: "all the same ", count: 100)
    try await plain.send(text)
    for socket in [plain, compressing] {
      var messages = socket.makeAsyncIterator()
      #expect(try await messages.next() == .text(text))
      await socket.close()
    }
    await server.shutdown()
    Subscriber.connections = []
    group.shutdown()
  }
}
