import CLinux
import EventLoops
import TestRandomness
import Testing
import Transport

@testable import WebSockets

/// Random schedules of sends, drops, refusals, slow peers and close codes, from a seed.
@Suite struct ReconnectingScheduleTests {
  /// Invariants: every message arrives at most once and in order; every send completes exactly once; a message whose
  /// send threw does not arrive; every other one arrives, or is counted as dropped.
  @Test(arguments: 0..<60 as Range<UInt64>) func invariants(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let world = SimulatedReconnecting()
    var options = ReconnectingWebSocketOptions()
    options.overflow = [.dropOldest, .reject, .wait][random.below(3)]
    options.maximumQueuedMessages = 1 + random.below(8)
    options.connection.socket.maximumQueuedBytes = 2_000
    options.unsent = random.below(4) == 0 ? .drop : .resend
    options.retry.closeCode = { _ in .retry }
    options.retry.status = { _ in .retry }
    options.heartbeatIntervalMilliseconds = random.below(2) == 0 ? 0 : 5_000
    if random.below(3) == 0 { options.resubscribe = { try await $0.send("hello") } }
    world.make(options: options, seed: seed)
    world.socket?.start()
    world.run()
    var schedule = Schedule(world: world, random: random)
    for _ in 0..<300 { schedule.step() }
    schedule.end()

    let arrived = schedule.arrived
    #expect(arrived == arrived.sorted() && Set(arrived).count == arrived.count, "seed \(seed)")
    var outcomes: [Int: [Substring]] = [:]
    for note in world.notes {
      let words = note.split(separator: " ")
      outcomes[Int(words[0]) ?? -1, default: []].append(words[1])
    }
    #expect(outcomes.values.allSatisfy { $0.count == 1 } && outcomes.count == schedule.sent, "seed \(seed)")
    #expect(arrived.allSatisfy { outcomes[$0] == ["done"] }, "seed \(seed)")
    let lost = outcomes.count { $0.value == ["done"] } - arrived.count
    #expect(lost == world.statistics?.droppedMessages, "seed \(seed)")
    #expect(arrived.count > 10 && world.isAtRest, "seed \(seed): \(arrived.count) of \(schedule.sent)")
  }

  private struct Schedule {
    let world: SimulatedReconnecting
    var random: SeededRandom
    var sent = 0
    /// By peer: the dead ones are read to their end, too.
    private var arrivedAt: [Int: [Int]] = [:]

    init(world: SimulatedReconnecting, random: SeededRandom) {
      self.world = world
      self.random = random
    }

    var arrived: [Int] { world.peers.indices.flatMap { arrivedAt[$0] ?? [] } }

    mutating func step() {
      switch random.below(12) {
      case 0...3: send(1 + random.below(4))
      case 4: world.advance(UInt64(random.below(3_000)))
      case 5: read()
      case 6: answer()
      case 7: answer()
      case 8: world.peer?.socket.other?.writeWindow = random.below(2) == 0 ? random.below(500) : nil
      case 9: lose()
      case 10: if random.below(2) == 0 { world.refuse() } else { world.listen() }
      default: world.socket?.reconnectNow()
      }
      world.run()
    }

    private mutating func send(_ count: Int) {
      for _ in 0..<count {
        let text = "\(sent) " + String(repeating: "x", count: random.below(400))
        world.task("\(sent)") { try await $0.send(text) }
        sent += 1
      }
    }

    private func answer() {
      guard let inbox = world.peer?.socket.inbox, inbox.starts(with: Array("GET ".utf8)) else { return }
      if world.events.count % 5 == 0 { world.peer?.refuse(503) } else { world.peer?.accept() }
    }

    private mutating func read() {
      for (index, peer) in world.peers.enumerated() {
        if peer.socket.inbox.starts(with: Array("GET ".utf8)) { continue }
        for frame in peer.frames() {
          if frame.opcode == 9 { peer.send(0x8A, frame.payload) }
          guard frame.opcode == 1 else { continue }
          let text = String(decoding: frame.payload, as: UTF8.self)
          if let number = Int(text.prefix { $0 != " " }) { arrivedAt[index, default: []].append(number) }
        }
      }
    }

    private mutating func lose() {
      if random.below(2) == 0 { read() }
      switch random.below(3) {
      case 0: world.peer?.socket.reset()
      case 1: world.peer?.close([1000, 1001, 1011, 4000, 4900][random.below(5)])
      default: world.peer?.socket.end()
      }
    }

    mutating func end() {
      world.listen()
      for _ in 0..<200 where world.statistics?.queuedMessages != 0 || world.state != .open || !isIdle {
        world.peer?.socket.other?.writeWindow = nil
        world.advance(500)
        if let inbox = world.peer?.socket.inbox, inbox.starts(with: Array("GET ".utf8)) {
          world.peer?.accept()
        }
        read()
        world.run()
      }
      world.socket?.stop()
      world.advance(10)
      read()
      world.peer?.close(1000)
      world.advance(20_000)
      read()
    }

    private var isIdle: Bool { world.socket?.core.queue.isEmpty == true }
  }
}
