import EventLoops
import Testing
import Transport

@testable import WebSockets

/// The closures that say where to go and that prepare a connection, and how they fail.
@Suite struct ReconnectingHookTests {
  private let world = SimulatedReconnecting()

  private func make(_ change: (inout ReconnectingWebSocketOptions) -> Void) {
    var options = ReconnectingWebSocketOptions()
    options.heartbeatIntervalMilliseconds = 0
    change(&options)
    world.make(options: options)
  }

  @Test func eachAttemptHasItsAddress() {
    make {
      $0.refresh = { target, attempt in
        var fresh = target
        fresh.url += "?attempt=\(attempt)"
        fresh.options.fields.set("Authorization", "Bearer \(attempt)")
        return fresh
      }
    }
    for attempt in 1...3 {
      if attempt == 1 {
        world.socket?.start()
        world.run()
      } else {
        world.peer?.refuse(503)
        while world.peers.count < attempt { world.advance(1) }
      }
      let request = String(decoding: world.peer?.socket.inbox ?? [], as: UTF8.self)
      #expect(request.hasPrefix("GET /?attempt=\(attempt) "))
      #expect(request.contains("Authorization: Bearer \(attempt)\r\n"))
    }
  }

  @Test func anAddressThatCannotBeHadStops() {
    struct NoToken: Error {}
    make { $0.refresh = { _, _ in throw NoToken() } }
    world.task("connect") { try await $0.connect() }
    #expect(world.notes == ["connect refreshFailed"])
    #expect(world.events == ["error refreshFailed", "close 1006 final"])
    #expect(world.isAtRest && world.peers.isEmpty)
  }

  @Test func preparingComesBeforeWhatWaits() {
    make {
      $0.resubscribe = { socket in
        try await socket.send("subscribe")
        var iterator = socket.makeAsyncIterator()
        while let reply = try await iterator.next(), reply != .text("subscribed") {}
        try await socket.send("ready")
      }
    }
    world.send("waiting")
    world.open()
    #expect(world.peer?.texts() == ["subscribe"])
    #expect(world.state == .connecting && world.events == [])
    world.peer?.send("subscribed")
    world.peer?.send("first")
    world.run()
    #expect(world.peer?.texts() == ["ready", "waiting"])
    #expect(world.events == ["open", "message first"])
    world.peer?.socket.reset()
    world.reopen()
    #expect(world.peer?.texts() == ["subscribe"])
  }

  @Test func messagesThatTheHookDoesNotReadAreHeld() {
    make { options in
      options.resubscribe = { _ in try await untilCancelled() }
      options.hookTimeoutMilliseconds = 1_000
    }
    world.open()
    world.peer?.send("early")
    world.advance(999)
    #expect(world.events == [])
    // The hook takes too long: the connection is closed, politely, and another attempt follows.
    world.advance(1)
    #expect(world.events == ["error timedOut", "attempt 2"])
    #expect(world.peer?.frames().map(\.opcode) == [8])
  }

  @Test func aFailedPreparationIsTriedAgain() {
    struct Refused: Error {}
    make { $0.resubscribe = { _ in throw Refused() } }
    world.open()
    #expect(world.events == ["error resubscribeFailed", "attempt 2"])
    #expect(world.peer?.frames().first?.payload.starts(with: [0x03, 0xE8]) == true)
    world.reopen()
    #expect(world.events.last == "attempt 3" && world.peers.count == 2)
  }

  @Test func theConnectionIsLostWhileItIsPrepared() {
    make {
      $0.resubscribe = { socket in for try await _ in socket {} }
    }
    world.open()
    world.peer?.socket.reset()
    world.run()
    #expect(world.events == ["error closedAbnormally", "attempt 2"])
    world.reopen()
    world.task("close") { await $0.close() }
    #expect(world.state == .closed && world.notes == ["close done"])
  }

  @Test func closingWhileTheAddressIsLookedFor() {
    make {
      $0.refresh = { target, _ in
        try await untilCancelled()
        return target
      }
    }
    world.socket?.start()
    world.run()
    #expect(world.state == .connecting)
    world.socket?.stop()
    world.run()
    #expect(world.state == .closed && world.loop.timerCount == 0)
  }

  @Test func anAddressThatTakesTooLongIsTriedAgain() {
    make {
      $0.refresh = { target, _ in
        try await untilCancelled()
        return target
      }
    }
    world.socket?.start()
    world.advance(29_999)
    #expect(world.events == [])
    world.advance(1)
    #expect(world.events == ["error timedOut", "attempt 2"])
    world.drop()
    world.run()
  }

  @Test func severalAddressesInTheirOrder() {
    let other = SocketAddress.loopback(port: 81)
    world.listen(other)
    world.refuse()
    var options = ReconnectingWebSocketOptions()
    options.health = EndpointSelector.Health(maximumFailures: 1, coolDownMilliseconds: 20_000)
    world.make(["ws://127.0.0.1/", "ws://127.0.0.1:81/"], options: options)
    world.socket?.start()
    world.advance(500)
    world.peer?.accept()
    world.run()
    #expect(world.state == .open && world.events == ["error connectFailed", "attempt 2", "open"])
    // After its cool-down the first is preferred again.
    world.listen()
    world.advance(20_000)
    world.peer?.socket.reset()
    world.reopen()
    #expect(world.peer?.socket.address == world.address && world.state == .open)
  }
}

/// Waits for nothing; ends in the turn in which the task is cancelled.
private func untilCancelled() async throws {
  for await _ in AsyncStream<Never>.makeStream().stream {}
  throw CancellationError()
}
