import Bytes
import EventLoops
import Realtime
import TestRandomness

/// Servers, one after the other, on simulated loops and their network; and the history of what happened.
final class FaultWorld {
  /// Whose history holds all, the last few, those of the last seconds, none.
  static let channels = ["all:a", "all:b", "few:a", "brief:a", "none:a", consumed]
  /// Whose clients acknowledge.
  static let consumed = "jobs:a"
  /// So many publications may be on their way to one of them.
  static let portion = 10

  let network = SimulatedNetwork()
  let loops: [EventLoop]
  let middle: BrokenMiddle
  private(set) var checker = HistoryChecker()
  private(set) var eventCount = 0
  /// The last events, to read when something is wrong.
  private(set) var trail: [FaultEvent] = []
  /// Kept for as long as something may come back from a loop.
  private var servers: [FaultServer] = []
  private(set) var lastConnection = 0
  private var random: SeededRandom
  let wallClock = WallClock()

  /// Jumps as a test wants.
  final class WallClock: @unchecked Sendable {
    var milliseconds: UInt64 = 1_700_000_000_000
    var lastIdentifier = 0
    func makeIdentifier() -> String {
      lastIdentifier += 1
      return "c\(lastIdentifier)"
    }
  }

  init(loops count: Int, bug: SeededBug? = nil, seed: UInt64) {
    let network = network
    loops = (0..<count).map { _ in network.makeLoop() }
    middle = BrokenMiddle(bug, seed: seed)
    random = SeededRandom(seed: seed ^ 0x5e7)
    start()
  }

  deinit {
    for server in servers { server.stop() }
    network.runUntilIdle()
  }

  private func start() {
    servers.append(
      FaultServer(loops: loops, clock: wallClock, run: servers.count, randomBits: random.next()))
  }

  var run: Int { servers.count - 1 }
  private var server: FaultServer { servers[run] }

  func connect() -> FaultConnection? {
    guard let socket = network.connect(to: server.addresses[random.below(loops.count)]) else { return nil }
    socket.other?.readPieceByteCount = random.below(4) == 0 ? 1 + random.below(40) : .max
    lastConnection += 1
    return FaultConnection(socket, number: lastConnection, run: run)
  }

  /// Another process takes the first one's place, and knows nothing of it.
  func restart() {
    server.stop()
    network.runUntilIdle()
    start()
  }

  /// Publishes as the server; asked again with the same text, nothing more must happen.
  func publish(_ text: String, to channel: String) {
    note(.publishing(text: text), channel)
    var request = PublishRequest(data: SharedBytes.make(copying: Array("\"\(text)\"".utf8)))
    request.idempotencyKey = middle.forgetsKeys ? "" : text
    let (run, loop) = (run, loops[random.below(loops.count)])
    let isLost = middle.losesPublish()
    let work = Work { [unowned self, server] in
      let done: (Result<StreamPosition, HubError>) -> Void = { [weak self] result in
        guard let self, run == self.run else { return }
        switch result {
        case .success(var position):
          if isLost { position.offset += 1 }
          note(.published(text: text, position), channel)
        case .failure: note(.refused(code: 0), channel)
        }
      }
      guard isLost else { return server.hub.publish(request, to: channel, as: .server, done: done) }
      server.hub.history(of: channel, HistoryQuery(limit: 0), as: .server) {
        if case .success(let page) = $0 { done(.success(page.position)) }
      }
    }
    loop.execute { work.body() }
  }

  private struct Work: @unchecked Sendable {
    let body: () -> Void
  }

  /// What the channels hold now.
  func readAll() {
    for channel in Self.channels where !channel.hasPrefix("none:") {
      let work = Work { [unowned self, server] in
        server.hub.history(of: channel, HistoryQuery(limit: nil), as: .server) { [weak self] result in
          guard case .success(let page) = result else { return }
          let held = page.publications.map {
            FaultEvent.Shown(
              offset: $0.offset, text: String(decoding: $0.data.array.dropFirst().dropLast(), as: UTF8.self))
          }
          self?.note(.atEnd(page.position, held), channel)
        }
      }
      loops[0].execute { work.body() }
      network.runUntilIdle()
    }
  }

  var counters: HubCounters? { server.counters(network) }

  func note(_ kind: FaultEvent.Kind, _ channel: String = "", _ connection: FaultConnection? = nil) {
    let event = FaultEvent(
      connection: connection?.number ?? -1, channel: channel, run: connection?.run ?? run, kind: kind)
    eventCount += 1
    if trail.count >= 4_000 { trail.removeFirst(2_000) }
    trail.append(event)
    checker.take(event)
  }
}
