import EventLoops
import Realtime
import Transport

@testable import Gateways
@testable import WebSockets

/// A hub with the client protocol's gateway, listening on each loop.
final class FaultServer {
  let hub: Hub
  let addresses: [SocketAddress]
  private let listeners: [LoopListener]
  private let registries: [ConnectionRegistry]
  private let loops: [EventLoop]

  init(loops: [EventLoop], clock: FaultWorld.WallClock, run: Int, randomBits: UInt64) {
    self.loops = loops
    var bits = SplitBits(state: randomBits)
    let hub = Hub(
      loops: loops, namespaces: Namespaces(default: nil, named: Self.namespaces),
      encodings: [CentrifugoJSONEncoding()], wallClock: { clock.milliseconds }, randomBits: { bits.next() })
    self.hub = hub
    var options = CentrifugoOptions(
      now: { clock.milliseconds / 1_000 }, makeClientID: { clock.makeIdentifier() })
    options.allowsAnonymous = true
    options.takesUserFromConnectData = true
    let gateway = CentrifugoGateway(hub: hub, encoding: 0, options: options)
    var socket = RealtimeServerOptions(sessions: options).socket
    socket.maximumQueuedBytes = 2_048
    let service = FaultService(gateway, socket)
    var listeners: [LoopListener] = []
    var registries: [ConnectionRegistry] = []
    for (index, loop) in loops.enumerated() {
      let registry = ConnectionRegistry(loop: loop, options: HTTPServerOptions())
      let address = SocketAddress.loopback(port: UInt16(9_000 + index + 16 * (run % 100)))
      let made = LoopListener.start(loop, address) { _ in
        HTTPServerConnection(service: service, registry: registry)
      }
      guard case .success(let listener) = made else { fatalError("a simulated port is always free") }
      listener.resume()
      listeners.append(listener)
      registries.append(registry)
    }
    self.listeners = listeners
    self.registries = registries
    addresses = listeners.map(\.address)
  }

  /// History of every kind: longer than what a run publishes, a few, for a few seconds, none.
  private static var namespaces: [String: NamespaceOptions] {
    var all = NamespaceOptions()
    all.subscribe = .everyone
    all.publish = .everyone
    all.historySize = 10_000
    all.historyTTLMilliseconds = 3_600_000
    all.maximumRecoveredPublications = 10_000
    all.maximumHistoryPublications = 10_000
    all.allowsRecovery = true
    all.emitsJoinLeave = true
    all.keepsPresence = true
    var few = all
    few.historySize = 3
    var brief = all
    brief.historyTTLMilliseconds = 5_000
    brief.positionRetentionMilliseconds = 10_000
    brief.idempotencyWindowMilliseconds = 5_000
    var none = all
    none.historySize = 0
    var slow = none
    slow.slowConsumers = .conflate
    slow.slowConsumerQueueBytes = 256
    // Nothing is too old here: what is not acknowledged has to come again.
    var jobs = all
    jobs.historyTTLMilliseconds = 10_000_000_000
    jobs.allowsAcknowledgement = true
    jobs.consumerRetentionMilliseconds = 10_000_000_000
    jobs.maximumUnacknowledgedPublications = FaultWorld.portion
    return ["jobs": jobs, "slow": slow, "all": all, "few": few, "brief": brief, "none": none]
  }

  /// Ends at once: no close frames, no goodbye.
  func stop() {
    for listener in listeners { listener.close() }
    for (loop, registry) in zip(loops, registries) {
      let connections = registry
      loop.execute { for connection in connections.all { connection.abort() } }
    }
    for shard in hub.loops {
      let hub = hub
      shard.execute { hub.disconnectAll(code: 3001, reason: "shutdown") }
    }
  }

  func counters(_ network: SimulatedNetwork) -> HubCounters? {
    final class Box: @unchecked Sendable { var counters: HubCounters? }
    let (box, hub) = (Box(), hub)
    loops[0].execute { hub.counters { box.counters = $0 } }
    network.runUntilIdle()
    return box.counters
  }
}

private struct SplitBits {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &*= 0x5851_f42d_4c95_7f2d
    state &+= 0x1405_7b7e_f767_814f
    return state
  }
}

private final class FaultService: HTTPService {
  private let gateway: CentrifugoGateway
  private let options: WebSocketOptions

  init(_ gateway: CentrifugoGateway, _ options: WebSocketOptions) {
    self.gateway = gateway
    self.options = options
  }

  func handle(_ exchange: HTTPExchange) { exchange.upgrade(to: gateway, options: options) }
}
