import WebSockets

/// What an example prints: its test declares a `print` of its own, and waits for the lines here.
final class PrintedLines: Sendable {
  private let lines: AsyncStream<String>
  private let continuation: AsyncStream<String>.Continuation

  init() { (lines, continuation) = AsyncStream.makeStream() }

  func print(_ items: [Any]) { continuation.yield(items.map { "\($0)" }.joined(separator: " ")) }

  /// The next lines, so many as are asked for.
  func next(_ count: Int = 1) async -> [String] {
    var taken: [String] = []
    for await line in lines {
      taken.append(line)
      if taken.count == count { break }
    }
    return taken
  }
}

/// A server that sends back what it gets, and its port.
func startEcho() async throws -> (server: HTTPServer, port: UInt16) {
  let server = try await WebSocketServer(port: 0).start { _ in
    .accept { socket in for try await message in socket { try await socket.send(message) } }
  }
  return (server, server.port)
}

/// A port that is free, and not one of those that the kernel hands out: between now and its use nobody else gets it.
func freePort() async throws -> UInt16 {
  while true {
    let port = UInt16.random(in: 20_000..<32_000)
    if let server = try? await WebSocketServer(port: port).start({ _ in .reject(.notFound) }) {
      await server.shutdown(graceMilliseconds: 0)
      return port
    }
  }
}

func untilItListens(_ port: UInt16) async throws {
  while RawClient(port: port) == nil { await Task.yield() }
}
