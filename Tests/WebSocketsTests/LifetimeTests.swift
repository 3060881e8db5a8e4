import EventLoops
import Synchronization
import Testing

@testable import WebSockets

/// Counts what is alive.
private final class LiveCount: Sendable {
  let value = Atomic<Int>(0)
}

private final class Tracked: Sendable {
  private let count: LiveCount

  init(_ count: LiveCount) {
    self.count = count
    count.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
  }

  deinit { count.value.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
}

/// Keeps weak hold of its connections, and counts how often each was told to be closed.
private final class WatchingHandler: WebSocketHandler, @unchecked Sendable {
  struct Weak { weak var connection: WebSocketConnection? }

  var connections: [Weak] = []
  var closedCount = 0
  var alive: Int { connections.count { $0.connection != nil } }

  override func opened(_ connection: WebSocketConnection) { connections.append(Weak(connection: connection)) }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    closedCount += 1
  }
}

/// Nothing is left behind by what has ended.
@Suite(.timeLimit(.minutes(5))) struct LifetimeTests {
  @Test func connectionsAreFreedHoweverTheyEnd() throws {
    let handler = WatchingHandler()
    let server = try SimulatedServer(SocketService { handler })
    for round in 0..<100 {
      let client = try server.connectWebSocket()
      client.send(clientFrame(0x01, [65]))
      server.network.runUntilIdle()
      switch round % 5 {
      case 0: client.end()
      case 1: client.send(clientFrame(0x88, [0x03, 0xE8]))
      case 2: client.send([0xFF])
      case 3: handler.connections.last?.connection?.close()
      default: handler.connections.last?.connection?.abort()
      }
      server.network.runUntilIdle()
    }
    server.network.advance(milliseconds: 60_000)
    #expect(handler.alive == 0)
    #expect(handler.closedCount == 100)
    #expect(server.registry.count == 0)
  }

  @Test func aRefusedUpgradeLeavesNothingBehind() async throws {
    let count = LiveCount()
    let group = EventLoopGroup(loops: 1)
    let server = try await WebSocketServer(port: 0, group: group).start { _ in
      let tracked = Tracked(count)
      return .accept { _ in _ = tracked }
    }
    let client = try #require(RawClient(port: server.port))
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(client.receiveText().hasPrefix("HTTP/1.1 426 "))
    await server.shutdown()
    group.shutdown()
    #expect(count.value.load(ordering: .sequentiallyConsistent) == 0)
  }

  @Test func tasksEndWhenTheirLoopsDo() async throws {
    let (ended, end) = AsyncStream<Void>.makeStream()
    let (opened, open) = AsyncStream<Void>.makeStream()
    let group = EventLoopGroup(loops: 1)
    let server = try await WebSocketServer(port: 0, group: group).start { _ in
      .accept { socket in
        open.finish()
        defer { end.finish() }
        for try await _ in socket {}
      }
    }
    let client = try await WebSocket.connect(to: "ws://127.0.0.1:\(server.port)/")
    for await _ in opened {}
    group.shutdown()
    for await _ in ended {}
    await client.close()
  }
}
