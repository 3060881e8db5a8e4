import Bytes
import EventLoops
import Synchronization

@testable import Gateways
@testable import Realtime

/// Sessions on simulated loops, with virtual time; what they send is a list.
final class SessionWorld {
  static let secret = "secret"
  static let epoch: UInt64 = 1_700_000_000

  let network = SimulatedNetwork()
  let loops: [EventLoop]
  let hub: Hub
  let clock = Clock()
  let counters = CentrifugoCounters()
  private(set) var options: CentrifugoOptions

  /// Anonymous clients may connect; `open:…`, `plain:…` and `closed:…` are the channels.
  init(loops count: Int = 1, _ change: (inout CentrifugoOptions) -> Void = { _ in }) {
    let network = network
    let loops = (0..<count).map { _ in network.makeLoop() }
    self.loops = loops
    var open = NamespaceOptions()
    open.subscribe = .everyone
    open.publish = .subscribers
    open.history = .everyone
    open.presence = .everyone
    open.historySize = 3
    open.historyTTLMilliseconds = 600_000
    open.allowsRecovery = true
    open.keepsPresence = true
    open.emitsJoinLeave = true
    var plain = NamespaceOptions()
    plain.subscribe = .everyone
    plain.publish = .everyone
    var slow = plain
    slow.slowConsumers = .conflate
    var news = open
    news.allowedDeltas = .fossil
    news.publishesDeltas = true
    news.allowsTagsFilter = true
    news.allowsPositioning = true
    news.recoveryMode = .cache
    news.emitsJoinLeave = false
    var jobs = NamespaceOptions()
    jobs.subscribe = .everyone
    jobs.historySize = 10
    jobs.historyTTLMilliseconds = 600_000
    jobs.allowsAcknowledgement = true
    jobs.maximumUnacknowledgedPublications = 2
    jobs.maximumConsumers = 2
    jobs.consumerRetentionMilliseconds = 30_000
    var limits = HubLimits()
    limits.maximumChannelsPerClient = 3
    hub = Hub(
      loops: loops,
      namespaces: Namespaces(
        default: nil,
        named: [
          "open": open, "plain": plain, "closed": NamespaceOptions(), "slow": slow, "news": news,
          "jobs": jobs,
        ]),
      limits: limits, encodings: [CentrifugoJSONEncoding(), CentrifugoProtobufEncoding()], wallClock: { 0 },
      randomBits: { 35 })
    let clock = clock
    options = CentrifugoOptions(now: { clock.seconds }, makeClientID: { clock.nextIdentifier() })
    options.tokens = TokenVerifier(secret: Self.secret, requiresExpiry: false)
    options.version = "1"
    options.allowsAnonymous = true
    change(&options)
  }

  /// Channels and the clients in them hold each other until the clients go.
  deinit {
    for shard in hub.shards {
      shard.loop.execute { [hub] in for client in shard.clients.values { hub.remove(client) } }
    }
    network.runUntilIdle()
  }

  /// A connection that has not said anything yet.
  func open(_ encoding: ClientEncoding = .json) -> TestClient { TestClient(self, encoding) }

  /// A connection whose connect command was answered.
  func connected(_ connect: String = "{}") -> TestClient {
    let client = open()
    client.send("{\"id\":1,\"connect\":\(connect)}")
    _ = client.take()
    return client
  }

  /// Runs `body` in a turn of the clients' loop, without the turns that follow from it.
  func turn(_ body: @escaping () -> Void) {
    let work = Unchecked(value: body)
    loops[0].execute { work.value() }
    loops[0].turn()
  }

  /// Runs `body` on the clients' loop, and lets all come to rest.
  func run(_ body: @escaping () -> Void) {
    turn(body)
    network.runUntilIdle()
  }

  /// A connection in Protobuf whose connect command was answered; see ``ProtobufText``.
  func connectedInProtobuf(_ connect: String = "") -> TestClient {
    let client = open(.protobuf)
    client.send("1:1 4{\(connect)}")
    _ = client.takeBytes()
    return client
  }

  func publish(_ json: String, to channel: String) {
    run { self.hub.publish(PublishRequest(data: bytes(json)), to: channel, as: .server) { _ in } }
  }

  /// Both clocks go on.
  func advance(seconds: UInt64) {
    for _ in 0..<seconds {
      clock.add(1)
      network.advance(milliseconds: 1_000)
    }
  }

  /// A channel of `open` that the given loop owns.
  func channel(ownedBy index: Int) -> String {
    for number in 0... where hub.owner(of: "open:\(number)") == index { return "open:\(number)" }
    return ""
  }

  static func token(_ user: String = "ann", _ change: (inout TokenClaims) -> Void = { _ in }) -> String {
    var claims = TokenClaims()
    claims.user = user
    change(&claims)
    return TokenSigner(secret: secret).sign(claims)
  }
}

private struct Unchecked<Value>: @unchecked Sendable { let value: Value }

func bytes(_ text: String) -> SharedBytes { .make(copying: Array(text.utf8)) }

extension SharedBytes {
  var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

final class Clock: Sendable {
  private let now = Atomic<UInt64>(SessionWorld.epoch)
  private let identifiers = Atomic<Int>(0)

  var seconds: UInt64 { now.load(ordering: .relaxed) }
  func add(_ seconds: UInt64) { now.wrappingAdd(seconds, ordering: .relaxed) }
  func nextIdentifier() -> String { "c\(identifiers.wrappingAdd(1, ordering: .relaxed).newValue)" }
}

/// Writes down what a session does to its connection.
final class ListOutput: CentrifugoOutput {
  var events: [String] = []
  /// Messages as they are, and payloads of frames.
  var messages: [[UInt8]] = []
  /// The peer reads no more, and the queue is over its limit.
  var isFull = false
  /// How many bytes wait for the peer.
  var backlog = 0
  private(set) var isPaused = false

  func send(_ text: [UInt8], as encoding: ClientEncoding) -> Bool {
    guard !isFull else { return false }
    messages.append(text)
    events.append(String(decoding: text, as: UTF8.self))
    return true
  }

  func send(frame: SharedBytes) -> Bool {
    guard !isFull else { return false }
    // A server's frame: two bytes of header, or four.
    let bytes = frame.array
    return send(Array(bytes.dropFirst(bytes[1] == 126 ? 4 : 2)), as: .json)
  }

  func isBackedUp(beyond byteCount: Int) -> Bool { backlog > byteCount }
  func close(_ disconnect: Disconnect) { events.append("close \(disconnect.code) \(disconnect.reason)") }
  func pauseReading() { isPaused = true }
  func resumeReading() { isPaused = false }
}

final class TestClient {
  let world: SessionWorld
  let output = ListOutput()
  private(set) var session: CentrifugoSession?

  init(_ world: SessionWorld, _ encoding: ClientEncoding = .json) {
    self.world = world
    world.run {
      self.session = CentrifugoSession(
        SessionContext(world.hub, world.options, world.counters), encoding: encoding == .json ? 0 : 1,
        clientEncoding: encoding, loop: world.loops[0], output: self.output)
    }
  }

  /// Who the client is; nil while it is not connected.
  var info: ClientInfo? { session?.isConnected == true ? session?.info : nil }

  /// Hands the session a message; what it sets off elsewhere is still to come. A command in Protobuf is written as a
  /// ``ProtobufText``.
  func begin(_ text: String) {
    begin(bytes: session?.clientEncoding == .protobuf ? ProtobufText.stream(text) : Array(text.utf8))
  }

  func begin(bytes: [UInt8]) {
    world.turn { bytes.withUnsafeBytes { self.session?.received($0) } }
  }

  func send(_ text: String) {
    begin(text)
    world.network.runUntilIdle()
  }

  /// Sends a message and takes what has come since the last call.
  func call(_ text: String) -> [String] {
    send(text)
    return take()
  }

  func take() -> [String] {
    defer { output.events = [] }
    return output.events
  }

  /// Sends a command in Protobuf and takes what has come since the last call.
  func callInProtobuf(_ text: String) -> [[UInt8]] {
    send(text)
    return takeBytes()
  }

  func takeBytes() -> [[UInt8]] {
    defer { (output.messages, output.events) = ([], []) }
    return output.messages
  }
}
