import EventLoops
import Testing
import Transport

@testable import WebSockets

/// How many connections there are, how old they grow, and what happens when there are none.
@Suite struct PoolMembersTests {
  private let world = SimulatedPool()

  @Test func theMinimumIsKept() {
    world.make { $0.minimumConnections = 3 }
    #expect(world.peers.count == 3 && world.idleCount == 3)
    world.peers[1].close(1001)
    world.settle()
    // It had done nothing and did not last: the next one is not opened at once.
    #expect(world.memberCount == 2)
    world.advance(100)
    #expect(world.memberCount == 3 && world.peers.count == 4)
  }

  @Test(arguments: [0, 1]) func whatIsNotUsedIsClosedDownToTheMinimum(minimum: Int) {
    world.make {
      $0.idleTimeoutMilliseconds = 1_000
      $0.minimumConnections = minimum
      $0.healthCheckIntervalMilliseconds = 0
    }
    world.request("a", "b", "c")
    world.echo()
    #expect(world.memberCount == 3)
    world.advance(999)
    #expect(world.memberCount == 3)
    world.advance(1)
    #expect(world.memberCount == minimum)
    for peer in world.peers { if peer.frames().last?.opcode == 8 { peer.close(1000) } }
    world.advance(100_000)
    #expect(world.memberCount == minimum && world.peers.count == 3)
    #expect(world.loop.timerCount <= 2 * minimum)
  }

  @Test func whatIsUsedStays() {
    world.make { $0.idleTimeoutMilliseconds = 1_000 }
    for _ in 0..<10 {
      world.request("a")
      world.echo()
      world.advance(900)
    }
    #expect(world.peers.count == 1)
  }

  @Test func aConnectionGrowsNoOlderThanItsLifetime() {
    world.make {
      $0.maximumLifetimeMilliseconds = 10_000
      $0.minimumConnections = 1
      $0.healthCheckIntervalMilliseconds = 0
    }
    world.advance(9_999)
    #expect(world.peers.count == 1)
    world.advance(1)
    #expect(world.peers.count == 2 && world.memberCount == 1)
    #expect(world.peers[0].frames().last?.opcode == 8)
    // In use at that time: afterwards.
    world.request("a")
    world.advance(20_000)
    #expect(world.peers.count == 2 && world.notes == [])
    world.echo()
    #expect(world.notes == ["a a!"] && world.peers.count == 3)
  }

  @Test func lifetimesDiffer() {
    world.make {
      $0.maximumLifetimeMilliseconds = 10_000
      $0.lifetimeJitterPercent = 20
      $0.maximumConnections = 50
      $0.minimumConnections = 50
    }
    let now = world.network.now
    let lifetimes = world.pool?.core.members.map { $0.expires - now } ?? []
    #expect(lifetimes.count == 50 && lifetimes.allSatisfy { (8_000...10_000).contains($0) })
    #expect(Set(lifetimes).count > 30)
  }

  @Test func aDeadConnectionIsFoundWhileItIsIdle() {
    world.make {
      $0.minimumConnections = 1
      $0.healthCheckIntervalMilliseconds = 1_000
      $0.healthCheckDeadlineMilliseconds = 500
    }
    world.advance(1_499)
    #expect(world["closed"] == 0 && world.peers[0].frames().map(\.opcode) == [9])
    world.advance(1)
    #expect(world["closed"] == 1)
  }

  @Test func whileNobodyListensThePoolGoesOnTrying() {
    world.make { $0.acquireTimeoutMilliseconds = 60_000 }
    world.refuse()
    world.request("a")
    world.advance(5_000)
    #expect(world.notes == [] && world["failed"] > 3)
    world.listen()
    world.advance(5_000)
    world.echo()
    #expect(world.notes == ["a a!"])
  }

  @Test func aFailureThatWillNotPassIsToldToAll() {
    world.make { $0.maximumConnections = 1 }
    for name in ["a", "b"] {
      let pool = world.pool
      Task(executorPreference: world.loop) { [world] in
        do { _ = try await pool?.request(.text(name)) } catch {
          world.notes.append("\(name) \((error as? WebSocketError)?.status?.code ?? 0)")
        }
      }
    }
    world.run()
    world.peers[0].refuse(403)
    world.run()
    #expect(world.notes == ["a 403", "b 403"])
  }

  @Test func withoutAURLNothingWaits() {
    world.make([]) { $0.minimumConnections = 2 }
    world.request("a")
    #expect(world.notes == ["a invalidURL"])
  }

  @Test func connectionsAreSpreadOverTheUpstreams() {
    let other = SocketAddress.loopback(port: 81)
    world.listen(other)
    world.make(["ws://127.0.0.1/", "ws://127.0.0.1:81/"])
    world.request("a", "b", "c", "d")
    #expect(world.peers.count { $0.socket.address == other } == 2)
    world.echo()
    // And so is their use.
    world.request("e", "f")
    #expect(world.peers.count { $0.socket.address == other && !$0.texts().isEmpty } == 1)
  }

  @Test func oneUpstreamIsDown() {
    let other = SocketAddress.loopback(port: 81)
    world.refuse(other)
    world.make(["ws://127.0.0.1:81/", "ws://127.0.0.1/"]) { $0.selection = .failover }
    world.request("a")
    world.echo()
    #expect(world.notes == ["a a!"] && world["failed"] == 1)
  }

  @Test func shutdownWaitsForWhatIsUnderWay() {
    world.make { $0.maximumConnections = 1 }
    world.request("a", "b")
    world.task("shutdown") { pool in
      await pool.shutdown()
      return "done"
    }
    #expect(world.takeNotes() == ["b poolClosed"])
    world.request("c")
    #expect(world.takeNotes() == ["c poolClosed"])
    world.echo()
    #expect(world.takeNotes() == ["a a!"])
    #expect(world.peers[0].frames().last?.opcode == 8)
    world.peers[0].close(1000)
    world.settle()
    #expect(world.notes == ["shutdown done"] && world.loop.timerCount == 0)
  }

  @Test func shutdownCutsWhatDoesNotEnd() {
    world.make()
    world.request("a")
    world.task("shutdown") { pool in
      await pool.shutdown(graceMilliseconds: 1_000)
      return "done"
    }
    world.advance(999)
    #expect(world.notes == [])
    world.advance(1)
    #expect(world.notes.sorted() == ["a closedAbnormally", "shutdown done"])
    #expect(world.loop.timerCount == 0)
  }

  @Test(arguments: 0..<4) func aDroppedPoolLeavesNothing(stage: Int) {
    world.make { $0.minimumConnections = stage == 1 ? 2 : 0 }
    if stage == 2 { world.refuse() }
    weak let core = world.pool?.core
    if stage >= 2 {
      let task = world.task("a") { SimulatedPool.text(try await $0.request(.text("a"))) }
      if stage == 2 { task.cancel() }
    }
    if stage == 3 { world.echo() }
    world.drop()
    world.settle()
    world.advance(1)
    #expect(core == nil && world.loop.timerCount == 0, "stage \(stage)")
  }
}
