import CLinux
import EventLoops
import TestRandomness
import Testing
import Transport

@testable import WebSockets

/// A pool on a simulated loop; the test plays the upstreams.
final class SimulatedPool: @unchecked Sendable {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let address = SocketAddress.loopback(port: 80)
  private(set) var pool: WebSocketPool?
  private(set) var peers: [SimulatedPeer] = []
  var notes: [String] = []

  init() {
    loop = network.makeLoop()
    listen()
  }

  /// Tasks that still wait hold their pool, which would be told of nothing any more.
  deinit {
    network.connectScripts = [:]
    if let core = pool?.core { loop.execute { core.shutdown(graceMilliseconds: 0, nil) } }
    network.advance(milliseconds: 100_000)
  }

  func make(
    _ urls: [String] = ["ws://127.0.0.1/"], seed: UInt64 = 1,
    _ change: (inout WebSocketPoolOptions) -> Void = { _ in }
  ) {
    var options = WebSocketPoolOptions()
    options.lifetimeJitterPercent = 0
    change(&options)
    pool = WebSocketPool(
      urls.map { EndpointSelector.Endpoint($0) }, options: options, loop: loop,
      random: SeededRandom(seed: seed))
    settle()
  }

  func drop() { pool = nil }

  func listen(_ address: SocketAddress? = nil) {
    network.connectScripts[address ?? self.address] = .succeeds { [unowned self] end in
      peers.append(SimulatedPeer(end))
    }
  }

  func refuse(_ address: SocketAddress? = nil) {
    network.connectScripts[address ?? self.address] = .fails(ECONNREFUSED)
  }

  func advance(_ milliseconds: UInt64) {
    network.advance(milliseconds: milliseconds)
    settle()
  }

  func run() { network.runUntilIdle() }

  /// Runs, and answers the handshakes.
  func settle() {
    run()
    while let peer = peers.first(where: { $0.socket.inbox.starts(with: Array("GET ".utf8)) }) {
      peer.accept()
      run()
    }
  }

  @discardableResult
  func task(
    _ name: String, _ body: @escaping @Sendable (WebSocketPool) async throws -> String
  ) -> Task<Void, Never> {
    let pool = pool
    let task = Task(executorPreference: loop) { [weak self] in
      guard let pool else { return }
      do {
        let result = try await body(pool)
        self?.notes.append("\(name) \(result)")
      } catch {
        self?.notes.append("\(name) \((error as? WebSocketError)?.code.description ?? "\(error)")")
      }
    }
    settle()
    return task
  }

  /// Each in a task of its own: the note is the reply.
  func request(_ texts: String...) {
    for text in texts { task(text) { Self.text(try await $0.request(.text(text))) } }
  }

  static func text(_ message: WebSocketMessage) -> String {
    if case .text(let text) = message { text } else { "binary" }
  }

  /// Every peer answers each text with the same text and "!".
  func echo() {
    settle()
    for peer in peers { for text in peer.texts() { peer.send(text + "!") } }
    settle()
  }

  func takeNotes() -> [String] {
    defer { notes = [] }
    return notes
  }

  subscript(counter: String) -> UInt64 { pool?.counters[counter] ?? 0 }
  var memberCount: Int { pool?.core.members.count ?? 0 }
  var idleCount: Int { pool?.core.idle.count ?? 0 }
}
