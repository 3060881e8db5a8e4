import EventLoops
import Testing
import Transport

@testable import WebSockets

/// Many requests on one connection, and messages without reply.
@Suite struct PoolSharingTests {
  private let world = SimulatedPool()

  private func make(_ change: (inout WebSocketPoolOptions) -> Void = { _ in }) {
    world.make {
      $0.correlation = { message in
        if case .text(let text) = message { UInt64(text.prefix { $0 != " " }) } else { nil }
      }
      change(&$0)
    }
  }

  /// Numbered requests; the peer sees "number name".
  private func request(_ names: String...) {
    for name in names {
      world.task(name) { pool in
        SimulatedPool.text(try await pool.request(numbered: { .text("\($0) \(name)") }))
      }
    }
  }

  @Test func repliesFindTheirRequestsInAnyOrder() {
    make()
    request("a", "b", "c")
    #expect(world.peers.count == 1)
    let texts = world.peers[0].texts()
    #expect(texts.map { $0.suffix(1) } == ["a", "b", "c"])
    for text in texts.reversed() { world.peers[0].send(text + "!") }
    world.settle()
    #expect(world.notes == texts.reversed().map { "\($0.suffix(1)) \($0)!" })
  }

  @Test(arguments: [(1, 3), (2, 2), (3, 1)]) func requestsOnOneConnectionAreLimited(
    each: Int, connections: Int
  ) {
    make { $0.maximumRequestsPerConnection = each }
    request("a", "b", "c")
    #expect(world.peers.count == connections)
  }

  @Test func aLateReplyHarmsNobody() {
    make { $0.requestTimeoutMilliseconds = 1_000 }
    request("a")
    world.advance(1_000)
    #expect(world.notes == ["a timedOut"])
    request("b")
    let texts = world.peers[0].texts()
    for text in texts { world.peers[0].send(text + "!") }
    world.peers[0].send("no number")
    world.settle()
    #expect(world.notes == ["a timedOut", "b \(texts[1])!"])
    #expect(world["unmatched"] == 2 && world.peers.count == 1 && world["discarded"] == 0)
  }

  @Test func aCancelledOneLeavesTheOthersAlone() {
    make()
    request("a")
    let task = world.task("b") { SimulatedPool.text(try await $0.request(numbered: { .text("\($0) b") })) }
    task.cancel()
    world.settle()
    world.echo()
    #expect(world.notes.map { $0.prefix(3) } == ["b c", "a 1"])
  }

  @Test func allHearOfTheEnd() {
    make()
    request("a", "b")
    world.peers[0].close(1011)
    world.settle()
    #expect(world.notes.sorted() == ["a closedAbnormally", "b closedAbnormally"])
    #expect(world.pool?.core.underWay.isEmpty == true && world.pool?.core.deadlines.isEmpty == true)
  }

  @Test func whatIsSentWithoutReplyPoisonsNoRequest() {
    make { $0.maximumConnections = 1 }
    world.task("send") { pool in
      try await pool.send(.text("news"))
      return "done"
    }
    // An upstream that answers all the same.
    world.echo()
    #expect(world["unmatched"] == 1)
    // The one connection is given up for somebody who must know that a reply is theirs.
    world.request("mine")
    world.echo()
    #expect(world.notes == ["send done", "mine mine!"] && world.peers.count == 2)
  }

  @Test func theLeastLoadedTakesWhatIsSent() {
    make { $0.maximumRequestsPerConnection = 1 }
    request("a", "b")
    #expect(world.peers.count == 2)
    world.peers[0].send((world.peers[0].texts().first ?? "") + "!")
    world.settle()
    world.task("send") { pool in
      try await pool.send(.text("news"))
      return "done"
    }
    #expect(world.peers[0].texts() == ["news"])
  }

  @Test func numberedAndExclusiveSideBySide() {
    make { $0.maximumConnections = 2 }
    request("a")
    world.request("x", "y")
    #expect(world.peers.count == 2)
    world.echo()
    world.echo()
    #expect(Set(world.notes.map { $0.prefix(1) }) == ["a", "x", "y"])
    #expect(world.notes.allSatisfy { $0.hasSuffix("!") })
  }
}
