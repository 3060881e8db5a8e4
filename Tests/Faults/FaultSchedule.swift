import EventLoops
import Realtime
import TestRandomness

/// What happens, decided by a seed down to which loop takes its next turn.
struct FaultSchedule {
  let world: FaultWorld
  private var random: SeededRandom
  private let clients: [FaultClient]
  private var published = 0
  private(set) var clockJumps = 0
  /// Those that may be published again, with when they were first.
  private var repeatable: [(text: String, channel: String, time: UInt64)] = []

  init(seed: UInt64, bug: SeededBug? = nil) {
    random = SeededRandom(seed: seed)
    let world = FaultWorld(loops: 1 + Int(seed % 4), bug: bug, seed: seed)
    self.world = world
    clients = (0..<5).map { FaultClient(world, number: $0) }
  }

  mutating func run(steps: Int) {
    for _ in 0..<steps { step() }
    finish()
  }

  private mutating func step() {
    let client = clients[random.below(clients.count)]
    let channel = FaultWorld.channels[random.below(FaultWorld.channels.count)]
    switch random.below(1_000) {
    case 0..<370: turn()
    case ..<400: client.acknowledge(before: UInt64(random.below(3)))
    case ..<560: client.read()
    case ..<640: client.connect()
    case ..<720: client.subscribe(to: channel)
    case ..<750: client.unsubscribe(from: channel)
    case ..<830: publish(to: channel)
    case ..<870: client.publish(nextText(), to: channel)
    case ..<890: repeatPublish()
    case ..<910: client.cut(afterReading: random.below(client.arrivedByteCount + 1))
    case ..<920: client.cut(afterSending: random.below(60), of: channel)
    case ..<940: client.stall(after: random.below(200))
    case ..<970: client.readOn()
    case ..<994: pass(milliseconds: UInt64(random.below(3_000)))
    case ..<998: pass(milliseconds: UInt64(random.below(2_000_000)))
    default: world.restart()
    }
  }

  private mutating func turn() {
    let loop = world.loops[random.below(world.loops.count)]
    if loop.isReadyNow { loop.turn() }
  }

  /// Both clocks: the monotonic one only goes on, the other one jumps.
  private mutating func pass(milliseconds: UInt64) {
    world.network.advance(milliseconds: milliseconds)
    clockJumps += 1
    let jump = UInt64(random.below(7_200_000))
    world.wallClock.milliseconds =
      random.below(2) == 0 ? world.wallClock.milliseconds + jump : world.wallClock.milliseconds - jump
  }

  private mutating func nextText() -> String {
    published += 1
    return "t\(published)"
  }

  private mutating func publish(to channel: String) {
    let text = nextText()
    repeatable.append((text, channel, world.network.now))
    if repeatable.count > 20 { repeatable.removeFirst() }
    world.publish(text, to: channel)
  }

  /// Within the window of idempotency, which is 5 s in one of the namespaces.
  private mutating func repeatPublish() {
    guard !repeatable.isEmpty else { return }
    let (text, channel, time) = repeatable[random.below(repeatable.count)]
    guard world.network.now < time + 4_000 else { return }
    world.publish(text, to: channel)
  }

  /// All faults end, everybody comes back: in the end, everybody has all.
  private func finish() {
    for _ in 0..<200 {
      for client in clients {
        client.readOn()
        client.connect()
      }
      world.network.runUntilIdle()
      for client in clients {
        client.read()
        client.acknowledgeAll()
      }
      world.network.runUntilIdle()
      if clients.allSatisfy(\.isSettled) { break }
    }
    for client in clients where !client.isSettled {
      world.note(.refused(code: -1), "a client that does not come to rest")
    }
    world.readAll()
    for client in clients { client.lose() }
    world.network.advance(milliseconds: 60_000)
  }

  /// What is left when everybody has gone.
  var leftovers: String? {
    guard let counters = world.counters else { return "no answer" }
    let isClean = counters.clients == 0 && counters.subscriptions == 0 && counters.channels == 0
    return isClean ? nil : "\(counters)"
  }
}
