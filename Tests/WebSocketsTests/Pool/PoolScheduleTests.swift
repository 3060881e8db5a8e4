import EventLoops
import TestRandomness
import Testing
import Transport

@testable import WebSockets

/// Random schedules of requests, replies in any order, late replies, broken connections and refusals, from a seed.
@Suite struct PoolScheduleTests {
  /// Invariants: every request ends exactly once; who gets a reply gets their own; never more connections than allowed;
  /// afterwards nothing is under way and nobody waits.
  @Test(arguments: 0..<40 as Range<UInt64>) func invariants(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let world = SimulatedPool()
    let maximum = 1 + random.below(5)
    world.make(seed: seed) {
      $0.maximumConnections = maximum
      $0.minimumConnections = random.below(3)
      $0.maximumRequestsPerConnection = 1 + random.below(4)
      $0.requestTimeoutMilliseconds = 3_000
      $0.acquireTimeoutMilliseconds = 5_000
      $0.idleTimeoutMilliseconds = 4_000
      $0.maximumLifetimeMilliseconds = 20_000
      $0.lifetimeJitterPercent = 50
      $0.correlation = { message in
        if case .text(let text) = message { UInt64(text.prefix { $0 != " " }) } else { nil }
      }
    }
    var asked = 0
    var unanswered: [(peer: Int, text: String)] = []
    var tasks: [Task<Void, Never>] = []
    func collect() {
      world.settle()
      for (index, peer) in world.peers.enumerated() {
        unanswered += peer.texts().filter { !$0.hasSuffix("no reply") }.map { (index, $0) }
      }
    }
    for _ in 0..<400 {
      switch random.below(10) {
      case 0...3:
        let name = "q\(asked)"
        let kind = random.below(4)
        tasks.append(world.task(name) { try await Self.ask($0, name, kind) })
        asked += 1
      case 4, 5, 6:
        guard !unanswered.isEmpty else { break }
        let (peer, text) = unanswered.remove(at: random.below(unanswered.count))
        world.peers[peer].send(text + "!")
      case 7: world.advance(UInt64(random.below(1_500)))
      case 8 where random.below(2) == 0: world.peers.last?.socket.reset()
      case 8: world.peers.last?.close(1001)
      default:
        switch random.below(4) {
        case 0: world.refuse()
        case 1 where !tasks.isEmpty: tasks[random.below(tasks.count)].cancel()
        default: world.listen()
        }
      }
      collect()
      #expect(world.memberCount <= maximum, "seed \(seed)")
    }
    world.listen()
    world.advance(60_000)
    var endings: [Substring: [Substring]] = [:]
    for note in world.notes {
      let words = note.split(separator: " ", maxSplits: 1)
      endings[words[0], default: []].append(words[1])
    }
    #expect(endings.count == asked && endings.values.allSatisfy { $0.count == 1 }, "seed \(seed)")
    for (name, ending) in endings where ending[0].hasSuffix("!") {
      let isOwn = ending[0].split(separator: " ").contains { $0 == "\(name)!" }
      #expect(isOwn, "seed \(seed): \(name) \(ending)")
    }
    #expect(endings.values.count { $0[0].hasSuffix("!") } > 20, "seed \(seed)")
    #expect(world.pool?.core.underWay.isEmpty == true && world.pool?.core.deadlines.isEmpty == true)
    #expect(world.pool?.core.exclusive.isEmpty == true && world.pool?.core.sharing.isEmpty == true)
  }

  /// A request of one kind or another; its result is the reply.
  private static func ask(_ pool: WebSocketPool, _ name: String, _ kind: Int) async throws -> String {
    switch kind {
    case 0: return SimulatedPool.text(try await pool.request(.text("0 \(name)")))
    case 1: return SimulatedPool.text(try await pool.request(numbered: { .text("\($0) \(name)") }))
    case 2:
      return try await pool.withConnection {
        SimulatedPool.text(try await $0.request(.text("0 \(name)")))
      }
    default:
      try await pool.send(.text("0 no reply"))
      return "sent"
    }
  }
}
