import Bytes
import EventLoops
import Synchronization

@testable import Realtime

/// A hub on simulated loops that one thread turns by hand: what happens, and in which order, is up to the test.
final class World {
  let loops: [EventLoop]
  let hub: Hub
  private let network = SimulatedNetwork()

  init(
    loops count: Int = 2, default options: NamespaceOptions? = .open(),
    named: [String: NamespaceOptions] = [:],
    limits: HubLimits = HubLimits()
  ) {
    let network = network
    let loops = (0..<count).map { _ in network.makeLoop() }
    let counter = EpochCounter()
    self.loops = loops
    hub = Hub(
      loops: loops, namespaces: Namespaces(default: options, named: named), limits: limits,
      encodings: [PlainEncoding(), LoudEncoding()], wallClock: { 1_700_000_000_000 },
      randomBits: { counter.next() })
  }

  /// Channels and the clients in them hold each other until the clients go.
  deinit {
    for shard in hub.shards {
      shard.loop.execute { [hub] in
        for client in shard.clients.values {
          (client as? Client)?.onPublication = nil
          hub.remove(client)
        }
      }
    }
    network.runUntilIdle()
  }

  /// Turns all loops until none has anything to do.
  func settle() {
    network.runUntilIdle()
  }

  /// Turns one loop once.
  func turn(_ index: Int) { loops[index].turn() }

  /// Runs `body` in the next turn of a loop.
  func later(on index: Int, _ body: @escaping () -> Void) {
    let body = Unchecked(value: body)
    loops[index].execute { body.value() }
  }

  /// Runs `body` in a turn of a loop, then lets all settle.
  func on(_ index: Int, _ body: @escaping () -> Void) {
    later(on: index, body)
    settle()
  }

  /// Lets virtual time pass and timers fire.
  func advance(_ milliseconds: UInt64) {
    network.advance(milliseconds: milliseconds)
  }

  /// A name that `loop` owns.
  func channel(ownedBy loop: Int, _ prefix: String = "c") -> String {
    for number in 0... where hub.owner(of: "\(prefix)\(number)") == loop { return "\(prefix)\(number)" }
    return prefix
  }

  func client(_ name: String, on loop: Int = 0, user: String? = nil, encoding: Int = 0) -> Client {
    let client = Client(hub, loops[loop], name, user ?? "u-\(name)", encoding)
    hub.add(client)
    settle()
    return client
  }

  func publish(_ text: String, to channel: String, from loop: Int = 0) -> StreamPosition? {
    publish(PublishRequest(text), to: channel, from: loop)
  }

  func publish(_ request: PublishRequest, to channel: String, from loop: Int = 0) -> StreamPosition? {
    var position: StreamPosition?
    on(loop) { self.hub.publish(request, to: channel, as: .server) { position = try? $0.get() } }
    return position
  }

  var counters: HubCounters {
    var counters = HubCounters()
    on(0) { self.hub.counters { counters = $0 } }
    return counters
  }
}

struct Unchecked<Value>: @unchecked Sendable {
  let value: Value
}

final class EpochCounter: Sendable {
  private let count = Atomic<UInt64>(0)

  func next() -> UInt64 { count.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// Frames that can be read in a test.
struct PlainEncoding: WireEncoding {
  func publication(_ publication: Publication, channel: String) -> SharedBytes {
    shared("\(channel)@\(publication.offset)=\(publication.data.text)")
  }
  func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes {
    delta.map { shared("\(channel)@\(publication.offset)~\($0.text)") }
      ?? shared("\(channel)@\(publication.offset)#\(publication.data.text)")
  }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes { shared("\(channel)+\(info.client)") }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { shared("\(channel)-\(info.client)") }
}

struct LoudEncoding: WireEncoding {
  func publication(_ publication: Publication, channel: String) -> SharedBytes {
    shared("\(channel)!\(publication.data.text)")
  }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes {
    shared("\(channel)!+\(info.client)")
  }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { shared("\(channel)!-\(info.client)") }
}

/// A subscriber that writes down what it is told.
final class Client: Subscriber {
  unowned let hub: Hub
  private(set) var events: [String] = []
  private(set) var frames: [SharedBytes] = []
  var onPublication: ((Publication) -> Void)?
  /// How many bytes of frames it takes before it is slow; nil for any number.
  var room: Int?
  private(set) var results: [SubscribeResult] = []

  init(_ hub: Hub, _ loop: EventLoop, _ name: String, _ user: String, _ encoding: Int) {
    self.hub = hub
    super.init(loop: loop, info: ClientInfo(client: name, user: user), encoding: encoding)
  }

  /// Subscribes; the outcome goes into `events`: the recovered publications' texts, or the error.
  func subscribe(_ channel: String, since: StreamPosition? = nil, joinLeave: Bool = false) {
    var options = SubscribeOptions()
    options.recoverSince = since
    options.wantsRecovery = true
    options.wantsJoinLeave = joinLeave
    subscribe(channel, options)
  }

  func subscribe(_ channel: String, _ options: SubscribeOptions) {
    hub.subscribe(self, to: channel, options: options) { result in
      switch result {
      case .success(let begun):
        self.results.append(begun)
        let texts = begun.publications.map(\.data.text).joined(separator: " ")
        let recovery = begun.wasRecovering ? (begun.recovered ? " recovered[\(texts)]" : " lost") : ""
        self.events.append("subscribed \(channel)@\(begun.position.offset)" + recovery)
      case .failure(let error): self.events.append("refused \(channel): \(error)")
      }
    }
  }

  func takeEvents() -> [String] {
    defer { events = [] }
    return events
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    events.append(frame.text)
    frames.append(frame)
    room? -= frame.count
    onPublication?(publication)
  }
  override func isBackedUp(beyond byteCount: Int) -> Bool { room.map { $0 <= 0 } ?? false }
  override func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    events.append(frame.text)
  }
  override func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) { events.append(frame.text) }
  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    events.append("server subscribed \(channel) \(data?.text ?? "")")
  }
  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    events.append("unsubscribed \(channel) \(code) \(reason)")
  }
  override func disconnect(code: UInt32, reason: String) { events.append("disconnect \(code) \(reason)") }
  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    events.append("refreshed \(isExpired) \(expiresAt ?? 0)")
  }
}
