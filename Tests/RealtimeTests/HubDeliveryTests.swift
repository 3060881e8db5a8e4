import Bytes
import EventLoops
import Testing

@testable import Realtime

/// Filters, differences, cache recovery and positions, through the hub.
@Suite struct HubDeliveryTests {
  private func filter(_ key: String, _ val: String) -> TagsFilter? {
    var node = TagsFilterNode()
    (node.key, node.cmp, node.val) = (key, "eq", val)
    return TagsFilter(node)
  }

  private func tagged(_ text: String, _ value: String) -> PublishRequest {
    PublishRequest(text, tags: [(name: "t", value: value)])
  }

  // MARK: Filters

  @Test(arguments: [0, 1])
  func aFilterHoldsBackAndRecoveryHonoursIt(owner: Int) {
    var rules = NamespaceOptions.open(historySize: 9)
    rules.allowsTagsFilter = true
    let world = World(default: rules)
    let channel = world.channel(ownedBy: owner)
    let (ann, bob) = (world.client("ann"), world.client("bob"))
    var options = SubscribeOptions()
    options.filter = filter("t", "a")
    options.wantsRecovery = true
    ann.subscribe(channel, options)
    bob.subscribe(channel)
    world.settle()
    let epoch = world.publish(tagged("1", "a"), to: channel)?.epoch ?? ""
    for (text, tag) in [("2", "b"), ("3", "a"), ("4", "b")] {
      _ = world.publish(tagged(text, tag), to: channel)
    }
    #expect(ann.takeEvents() == ["subscribed \(channel)@0", "\(channel)@1=1", "\(channel)@3=3"])
    #expect(bob.takeEvents().count == 5)
    #expect(world.counters.filtered == 2 && world.counters.delivered == 6)
    world.on(0) { world.hub.unsubscribe(ann, from: channel) }
    options.recoverSince = StreamPosition(epoch: epoch, offset: 1)
    ann.subscribe(channel, options)
    world.settle()
    #expect(ann.takeEvents() == ["subscribed \(channel)@4 recovered[3]"])
  }

  @Test func aFilterNeedsToBeAllowed() {
    let world = World()
    let ann = world.client("ann")
    var options = SubscribeOptions()
    options.filter = filter("t", "a")
    ann.subscribe("c", options)
    world.settle()
    #expect(ann.takeEvents() == ["refused c: badRequest"])
  }

  // MARK: Differences

  private func deltaWorld(_ change: (inout NamespaceOptions) -> Void = { _ in }) -> World {
    var rules = NamespaceOptions.open(historySize: 9)
    rules.allowedDeltas = .fossil
    rules.allowsTagsFilter = true
    change(&rules)
    return World(default: rules)
  }

  private var wish: SubscribeOptions {
    var options = SubscribeOptions()
    options.wantsDelta = true
    options.wantsRecovery = true
    return options
  }

  private let long = String(repeating: "the same all over ", count: 4)

  private func publish(_ text: String, _ world: World, tag: String = "", usesDelta: Bool = true) {
    let tags = tag.isEmpty ? [] : [(name: "t", value: tag)]
    _ = world.publish(PublishRequest(long + text, tags: tags, usesDelta: usesDelta), to: "c")
  }

  /// `=`: plain; `#`: all of it, to one that takes differences; `~`: a difference.
  private func kinds(_ client: Client) -> String {
    client.takeEvents().compactMap { $0.first { "=#~".contains($0) } }.map(String.init).joined()
  }

  @Test func theFirstIsWholeAndTheNextAreDifferences() {
    let world = deltaWorld()
    let (ann, bob, eve) = (world.client("ann"), world.client("bob"), world.client("eve", on: 1))
    ann.subscribe("c", wish)
    bob.subscribe("c")
    eve.subscribe("c", wish)
    world.settle()
    #expect(ann.results[0].usesDelta && !bob.results[0].usesDelta)
    for text in ["1", "2", "3"] { publish(text, world) }
    publish("4", world, usesDelta: false)
    publish("5", world)
    #expect(ann.frames.last?.address == nil || ann.frames[1].address != bob.frames[1].address)
    let shared = ann.frames[1]
    #expect(shared.address == eve.frames[1].address)
    #expect(shared.text.hasPrefix("c@2~") && shared.count < long.utf8.count)
    #expect(kinds(ann) == "#~~#~" && kinds(bob) == "=====" && kinds(eve) == "#~~#~")
    #expect(world.counters.deltas == 6)
  }

  @Test func whoWasNotSentTheOneBeforeGetsAll() {
    let world = deltaWorld()
    let ann = world.client("ann")
    var options = wish
    options.filter = filter("t", "a")
    ann.subscribe("c", options)
    world.settle()
    for tag in ["a", "a", "b", "a", "a"] { publish("x", world, tag: tag) }
    #expect(kinds(ann) == "#~#~")
  }

  @Test func recoveredPublicationsAreWhatTheNextDiffersFrom() {
    let world = deltaWorld()
    publish("1", world)
    let epoch = world.publish(PublishRequest(long + "2"), to: "c")?.epoch ?? ""
    let (ann, bob) = (world.client("ann"), world.client("bob"))
    var options = wish
    options.recoverSince = StreamPosition(epoch: epoch, offset: 1)
    ann.subscribe("c", options)
    options.recoverSince?.offset = 2
    bob.subscribe("c", options)
    world.settle()
    publish("3", world)
    #expect(kinds(ann) == "~" && kinds(bob) == "#")
  }

  @Test func aNamespaceWithoutDifferencesAgreesToNone() {
    let world = deltaWorld { $0.allowedDeltas = [] }
    let ann = world.client("ann")
    ann.subscribe("c", wish)
    world.settle()
    for text in ["1", "2"] { publish(text, world) }
    #expect(!ann.results[0].usesDelta && kinds(ann) == "==")
  }

  @Test func everyPublicationMayBeADifference() {
    let world = deltaWorld { $0.publishesDeltas = true }
    let ann = world.client("ann")
    ann.subscribe("c", wish)
    world.settle()
    for text in ["1", "2"] { publish(text, world, usesDelta: false) }
    #expect(kinds(ann) == "#~")
  }

  // MARK: Cache recovery

  private func cacheWorld(force: Bool = false) -> World {
    var rules = NamespaceOptions.open(historySize: 1)
    rules.recoveryMode = .cache
    rules.forcesRecovery = force
    return World(default: rules)
  }

  @Test func theLastPublicationIsHandedOut() {
    let world = cacheWorld()
    let clients = (0..<5).map { world.client("c\($0)") }
    clients[0].subscribe("c", since: StreamPosition())
    world.settle()
    _ = world.publish("1", to: "c")
    let position = world.publish("2", to: "c") ?? StreamPosition()
    clients[1].subscribe("c", since: StreamPosition())
    clients[2].subscribe("c", since: StreamPosition(epoch: "old", offset: 70))
    clients[3].subscribe("c", since: position)
    clients[4].subscribe("c")
    world.settle()
    #expect(clients[0].takeEvents() == ["subscribed c@0 lost", "c@1=1", "c@2=2"])
    #expect(clients[1].takeEvents() == ["subscribed c@2 recovered[2]"])
    #expect(clients[2].takeEvents() == ["subscribed c@2 recovered[2]"])
    #expect(clients[3].takeEvents() == ["subscribed c@2 recovered[]"])
    #expect(clients[4].takeEvents() == ["subscribed c@2"])
  }

  @Test func whereItIsForcedNobodyNeedsToAsk() {
    let world = cacheWorld(force: true)
    _ = world.publish("1", to: "c")
    let ann = world.client("ann")
    ann.subscribe("c")
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c@1 recovered[1]"])
    world.advance(60_000)
    let bob = world.client("bob")
    bob.subscribe("c")
    world.settle()
    #expect(bob.takeEvents() == ["subscribed c@1 lost"])
  }

  // MARK: Positions

  @Test(arguments: [false, true])
  func whoReliesOnAllIsToldOfAGap(isServerSide: Bool) {
    var rules = NamespaceOptions.open(historySize: 9)
    (rules.allowsRecovery, rules.allowsPositioning) = (false, true)
    rules.history = []
    let world = World(loops: 1, default: rules)
    let (ann, bob) = (world.client("ann"), world.client("bob"))
    var options = SubscribeOptions()
    options.wantsPosition = true
    options.isServerSide = isServerSide
    ann.subscribe("c", options)
    bob.subscribe("c")
    world.settle()
    #expect(ann.results[0].isPositioned && !ann.results[0].isRecoverable && !bob.results[0].isPositioned)
    _ = world.publish("1", to: "c")
    // The third one comes without the second: the first process of several has lost its connection to the others.
    world.on(0) {
      let shard = world.hub.shards[0]
      let late = Publication(data: shared("3"), offset: 3, timestampMilliseconds: 0)
      guard let channel = shard.owned["c"] else { return }
      shard.deliver(FanOut(.publication(late), channel: channel, encodings: world.hub.encodings))
    }
    let told = isServerSide ? "disconnect 3010 insufficient state" : "unsubscribed c 2500 insufficient state"
    #expect(ann.takeEvents() == ["subscribed c@0", "c@1=1", told])
    #expect(bob.takeEvents() == ["subscribed c@0", "c@1=1", "c@3=3"])
    #expect(world.counters.insufficientStates == 1)
  }

  @Test func positionsCanBeForced() {
    var rules = NamespaceOptions.open(historySize: 9)
    (rules.allowsRecovery, rules.forcesPositioning) = (false, true)
    rules.history = []
    let world = World(default: rules)
    let ann = world.client("ann")
    ann.subscribe("c")
    world.settle()
    #expect(ann.results[0].isPositioned && !ann.results[0].isRecoverable)
  }

  // MARK: Crowds

  /// Writes down when the loop lets it write.
  private final class Writer: EndOfTurnTarget {
    private let write: () -> Void

    init(_ write: @escaping () -> Void) { self.write = write }

    func endOfTurn() { write() }
  }

  @Test(arguments: [63, 64, 65])
  func whoeverGetsAMessageAloneDoesNotWaitForACrowd(count: Int) {
    let world = World(loops: 1)
    var written: [String] = []
    func join(_ name: String, _ channel: String) {
      let client = world.client(name)
      client.onPublication = { [loop = world.loops[0]] _ in
        loop.atEndOfTurn(Writer { written.append(channel) })
      }
      client.subscribe(channel)
      world.settle()
    }
    for number in 0..<count { join("c\(number)", "many") }
    join("ann", "few")
    world.on(0) {
      for channel in ["many", "few"] {
        world.hub.publish(PublishRequest("1"), to: channel, as: .server) { _ in }
      }
    }
    #expect(written.count == count + 1)
    #expect(written.firstIndex(of: "few") == (count < 64 ? count : 0))
  }
}
