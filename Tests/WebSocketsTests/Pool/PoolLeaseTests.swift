import EventLoops
import Testing
import Transport

@testable import WebSockets

/// Who gets which connection, and what comes back.
@Suite struct PoolLeaseTests {
  private let world = SimulatedPool()

  @Test func aConnectionIsUsedAgain() {
    world.make()
    #expect(world.peers.isEmpty)
    for index in 0..<5 {
      world.request("\(index)")
      world.echo()
    }
    #expect(world.notes == (0..<5).map { "\($0) \($0)!" })
    #expect(world.peers.count == 1 && world["created"] == 1 && world["reused"] == 4 && world["waited"] == 1)
  }

  @Test(arguments: [1, 3]) func noMoreThanTheMaximum(maximum: Int) {
    world.make { $0.maximumConnections = maximum }
    world.request("a", "b", "c", "d", "e")
    #expect(world.peers.count == maximum && world["waited"] == 5)
    #expect(world.peers.flatMap { $0.texts() } == Array(["a", "b", "c"].prefix(maximum)))
  }

  @Test func whoAsksFirstIsServedFirst() {
    world.make { $0.maximumConnections = 1 }
    world.request("1", "2", "3", "4", "5")
    for _ in 0..<5 { world.echo() }
    #expect(world.notes == ["1 1!", "2 2!", "3 3!", "4 4!", "5 5!"])
    #expect(world.peers.count == 1 && world["reused"] == 4)
  }

  @Test func whoWaitsTooLongIsTold() {
    world.make {
      $0.maximumConnections = 1
      $0.acquireTimeoutMilliseconds = 1_000
    }
    world.request("1")
    world.request("2")
    world.task("3") { SimulatedPool.text(try await $0.request(.text("3"), timeoutMilliseconds: 2_000)) }
    world.advance(999)
    #expect(world.notes == [])
    world.advance(1)
    #expect(world.notes == ["2 timedOut"] && world["timed_out"] == 1)
    // Who has given up is not served, and the next one is.
    world.echo()
    world.echo()
    #expect(world.notes == ["2 timedOut", "1 1!", "3 3!"])
  }

  @Test(arguments: [2, 1, 0]) func howManyMayWait(maximum: Int) {
    world.make {
      $0.maximumConnections = 1
      $0.maximumWaiters = maximum + 1
    }
    world.refuse()
    world.request("0")
    for index in 0..<2 { world.request("\(index + 1)") }
    #expect(world.notes == (maximum..<2).map { "\($0 + 1) queueFull" })
    #expect(world["refused"] == UInt64(2 - maximum))
  }

  @Test func aReplyThatIsTooLateReachesNobody() {
    world.make {
      $0.maximumConnections = 1
      $0.requestTimeoutMilliseconds = 1_000
    }
    world.request("1", "2")
    world.advance(1_000)
    #expect(world.notes == ["1 timedOut"] && world["discarded"] == 1)
    world.peers[0].send("1!")
    world.settle()
    #expect(world.notes == ["1 timedOut"])
    world.echo()
    #expect(world.notes == ["1 timedOut", "2 2!"] && world.peers.count == 2)
  }

  @Test func aCancelledRequestGivesItsConnectionUp() {
    world.make { $0.maximumConnections = 1 }
    let task = world.task("1") { SimulatedPool.text(try await $0.request(.text("1"))) }
    let waiting = world.task("2") { SimulatedPool.text(try await $0.request(.text("2"))) }
    world.request("3")
    waiting.cancel()
    task.cancel()
    world.settle()
    #expect(world.takeNotes().sorted() == ["1 cancelled", "2 cancelled"])
    world.peers[0].send("1!")
    world.echo()
    #expect(world.notes == ["3 3!"] && world["discarded"] == 1)
  }

  private struct Trouble: Error {}

  /// What a body leaves behind, and whether its connection is used again.
  @Test(arguments: ["answered", "throws", "unread", "unanswered", "discarded", "nothing"])
  func aLeaseThatMayPoisonTheNext(kind: String) {
    world.make { $0.maximumConnections = 1 }
    world.task("body") { pool in
      try await pool.withConnection { lease in
        switch kind {
        case "answered": _ = try await lease.request(.text("1"))
        case "throws":
          try await lease.send("1")
          throw Trouble()
        case "unread":
          try await lease.send("1")
          try await lease.send("2")
          _ = try await lease.receive()
        case "unanswered": try await lease.send("1")
        case "discarded":
          _ = try await lease.request(.text("1"))
          lease.discard()
        default: break
        }
      }
      return "done"
    }
    // Given up at once, not only when the reply comes.
    if kind == "unanswered" { #expect(world["discarded"] == 1 && world.idleCount == 0) }
    world.echo()
    let isKept = kind == "answered" || kind == "nothing"
    #expect(world.notes == [kind == "throws" ? "body Trouble()" : "body done"])
    #expect(world["discarded"] == (isKept ? 0 : 1))
    // The next one gets its own reply.
    world.request("3")
    world.echo()
    #expect(world.notes.last == "3 3!" && world.peers.count == (isKept ? 1 : 2))
  }

  @Test func protocolsWithoutRepliesMaySaySo() {
    world.make { $0.leaseReuse = .whenRead }
    world.task("body") { pool in
      try await pool.withConnection { try await $0.send("1") }
      return "done"
    }
    #expect(world.notes == ["body done"] && world["discarded"] == 0 && world.idleCount == 1)
  }

  @Test func aMessageOutOfTheBlueEndsAnIdleConnection() {
    world.make()
    world.request("1")
    world.echo()
    world.peers[0].send("late")
    world.settle()
    #expect(world.idleCount == 0 && world["unmatched"] == 1 && world["discarded"] == 1)
    world.request("2")
    world.echo()
    #expect(world.notes == ["1 1!", "2 2!"] && world.peers.count == 2)
  }

  @Test func afterItsEndALeaseDoesNothing() async {
    world.make()
    final class Box: @unchecked Sendable { var lease: WebSocketLease? }
    let box = Box()
    world.task("body") { pool in
      try await pool.withConnection { box.lease = $0 }
      return "done"
    }
    world.task("late") { _ in
      try await box.lease?.send("x")
      return "sent"
    }
    world.task("late") { _ in SimulatedPool.text(try await box.lease?.receive() ?? .text("none")) }
    #expect(world.notes == ["body done", "late notOpen", "late notOpen"])
    #expect(world.peers[0].texts() == [] && world.idleCount == 1)
  }

  @Test func aConnectionThatBreaksTellsItsUser() {
    world.make()
    world.request("1")
    world.task("body") { pool in
      try await pool.withConnection { SimulatedPool.text(try await $0.request(.text("2"))) }
    }
    for peer in world.peers { peer.socket.reset() }
    world.settle()
    #expect(world.notes.sorted() == ["1 closedAbnormally", "body closedAbnormally"])
    #expect(world.memberCount == 0 && world["closed"] == 2)
    world.request("3")
    world.echo()
    #expect(world.notes.last == "3 3!")
  }

  /// A slow upstream holds a lease back, which loses nothing.
  @Test func aLeaseWaitsForRoom() {
    world.make { $0.connection.socket.maximumQueuedBytes = 4_000 }
    let texts = (0..<20).map { "\($0) " + String(repeating: "x", count: 200) }
    world.task("body") { pool in
      try await pool.withConnection { lease in
        _ = try await lease.request(.text("first"))
        for text in texts { try await lease.send(.text(text)) }
        return "done"
      }
    }
    world.peers[0].socket.other?.writeWindow = 500
    world.echo()
    #expect(world.notes == [])
    world.peers[0].socket.other?.writeWindow = nil
    world.settle()
    #expect(world.notes == ["body done"])
    #expect(world.peers[0].texts() == texts)
  }
}
