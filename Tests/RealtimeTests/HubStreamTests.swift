import Bytes
import Testing

@testable import Realtime

/// History, recovery, repeats and freeing, through the hub.
@Suite struct HubStreamTests {
  @Test(arguments: [0, 1], 0...7)
  func recoversAtEveryOffset(owner: Int, offset: UInt64) {
    let world = World(default: .open(historySize: 3))
    let channel = world.channel(ownedBy: owner)
    var epoch = ""
    for number in 1...6 { epoch = world.publish("\(number)", to: channel)?.epoch ?? "" }
    let ann = world.client("ann")
    ann.subscribe(channel, since: StreamPosition(epoch: epoch, offset: offset))
    world.settle()
    _ = world.publish("7", to: channel)
    let outcome =
      switch offset {
      case 3: "recovered[4 5 6]"
      case 4: "recovered[5 6]"
      case 5: "recovered[6]"
      case 6: "recovered[]"
      default: "lost"
      }
    #expect(ann.takeEvents() == ["subscribed \(channel)@6 \(outcome)", "\(channel)@7=7"])
    #expect(world.counters.recovered + world.counters.unrecovered == 1)
  }

  @Test func aSubscriptionThatRequiresRecoveryFailsWithoutIt() {
    let world = World(default: .open(historySize: 3))
    let channel = world.channel(ownedBy: 1)
    let ann = world.client("ann")
    var options = SubscribeOptions()
    options.recoverSince = StreamPosition(epoch: "old", offset: 1)
    options.requiresRecovery = true
    ann.subscribe(channel, options)
    world.settle()
    #expect(ann.takeEvents() == ["refused \(channel): unrecoverablePosition"])
    #expect(world.hub.shards.allSatisfy { $0.heard.isEmpty && $0.owned.isEmpty && $0.refused.isEmpty })
  }

  /// To those who may read the history, what they missed is no secret.
  @Test(
    arguments: [
      ([], [], false), ([.anonymous], [], false), ([.subscribers], [], true), ([.authenticated], [], true),
      ([], .history, true),
    ] as [(Audience, Allowances, Bool)])
  func recoveryWhereTheNamespaceDoesNotAllowIt(history: Audience, allowances: Allowances, isGiven: Bool) {
    var rules = NamespaceOptions.open(historySize: 3)
    rules.allowsRecovery = false
    rules.history = history
    let world = World(default: rules)
    let epoch = world.publish("1", to: "c")?.epoch ?? ""
    let ann = world.client("ann")
    var options = SubscribeOptions()
    options.wantsRecovery = true
    options.allowances = allowances
    options.recoverSince = StreamPosition(epoch: epoch, offset: 0)
    ann.subscribe("c", options)
    world.settle()
    #expect(ann.takeEvents() == [isGiven ? "subscribed c@1 recovered[1]" : "subscribed c@1 lost"])
    #expect(ann.results[0].isRecoverable == isGiven && ann.results[0].isPositioned == isGiven)
  }

  @Test func whoDoesNotAskForRecoveryIsNotRecovered() {
    var rules = NamespaceOptions.open(historySize: 3)
    rules.allowsRecovery = false
    let world = World(default: rules)
    let ann = world.client("ann")
    ann.subscribe("c", SubscribeOptions())
    world.settle()
    #expect(!ann.results[0].isRecoverable && !ann.results[0].isPositioned)
  }

  @Test func aRepeatedKeyIsDeliveredOnce() {
    let world = World(default: .open(historySize: 3))
    let ann = world.client("ann")
    ann.subscribe("c")
    world.settle()
    let first = world.publish(PublishRequest("a", key: "k"), to: "c", from: 0)
    #expect(world.publish(PublishRequest("a", key: "k"), to: "c", from: 1) == first)
    #expect(first?.offset == 1)
    world.advance(300_000)
    #expect(world.publish(PublishRequest("a", key: "k"), to: "c")?.offset == 2)
    #expect(ann.takeEvents() == ["subscribed c@0", "c@1=a", "c@2=a"])
    #expect(world.counters.suppressed == 1 && world.counters.published == 2)
  }

  @Test func anIdleChannelIsFreedWhenNothingOfItIsLeft() {
    var options = NamespaceOptions.open(historySize: 3, ttl: 1_000)
    options.positionRetentionMilliseconds = 5_000
    let world = World(default: options)
    let position = world.publish("1", to: "c")
    world.advance(4_900)
    #expect(world.counters.heldChannels == 1)
    let ann = world.client("ann")
    ann.subscribe("c", since: position)
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c@1 recovered[]"])
    world.advance(60_000)
    #expect(world.counters.heldChannels == 1)
    world.hub.remove(ann)
    world.settle()
    #expect(world.counters.heldChannels == 1)
    world.advance(5_100)
    #expect(world.counters.heldChannels == 0)
    // The next run of the stream has another epoch.
    let later = world.publish("2", to: "c")
    #expect(later?.offset == 1 && later?.epoch != position?.epoch)
  }

  @Test func whoWasAwayFromAQuietChannelMissedNothing() {
    let world = World(default: .open(historySize: 3))
    let channel = world.channel(ownedBy: 1)
    var position: StreamPosition?
    world.on(0) {
      world.hub.history(of: channel, HistoryQuery(), as: .server) { position = try? $0.get().position }
    }
    #expect(world.counters.heldChannels == 0)
    let (ann, bob) = (world.client("ann"), world.client("bob"))
    ann.subscribe(channel, since: position)
    world.settle()
    world.hub.remove(ann)
    world.settle()
    #expect(world.counters.heldChannels == 0)
    bob.subscribe(channel, since: position)
    world.settle()
    #expect(bob.takeEvents() == ["subscribed \(channel)@0 recovered[]"])
  }

  @Test func whatNobodyHearsAndNothingKeepsMakesNoChannel() {
    let world = World()
    #expect(world.publish("1", to: "c") == StreamPosition())
    #expect(world.counters.heldChannels == 0 && world.counters.published == 1)
  }

  @Test func historyThroughTheHub() throws {
    let world = World(default: .open(historySize: 3))
    let channel = world.channel(ownedBy: 1)
    for text in ["a", "b", "c", "d"] { _ = world.publish(text, to: channel) }
    var answer: Result<HistoryPage, HubError>?
    world.on(0) {
      world.hub.history(of: channel, HistoryQuery(limit: 2, reverse: true), as: .server) { answer = $0 }
    }
    let page = try #require(answer).get()
    #expect(page.publications.map(\.data.text) == ["d", "c"] && page.position.offset == 4)
    var removed: StreamPosition?
    world.on(0) { world.hub.removeHistory(of: channel) { removed = try? $0.get() } }
    #expect(removed == page.position)
    world.on(0) { world.hub.history(of: channel, HistoryQuery(limit: nil), as: .server) { answer = $0 } }
    #expect(try #require(answer).get().publications.isEmpty)
  }

  @Test func historyAndPresenceThatAreOffAreNotAvailable() {
    var options = NamespaceOptions.open()
    options.keepsPresence = false
    let world = World(default: options)
    var errors: [HubError] = []
    func note<Value>(_ result: Result<Value, HubError>) {
      if case .failure(let error) = result { errors.append(error) }
    }
    world.on(0) {
      world.hub.history(of: "c", HistoryQuery(), as: .server) { note($0) }
      world.hub.presence(of: "c", as: .server) { note($0) }
      world.hub.presenceStats(of: "c", as: .server) { note($0) }
    }
    #expect(errors == [.notAvailable, .notAvailable, .notAvailable])
  }

  @Test(arguments: [(65_536, true), (65_537, false)])
  func aMessageHasAtMostItsBytes(_ count: Int, _ isAccepted: Bool) {
    let world = World()
    #expect((world.publish(String(repeating: "x", count: count), to: "c") != nil) == isAccepted)
    #expect(world.counters.limitRefusals == (isAccepted ? 0 : 1))
  }

  @Test func aKeyThatIsTooLongIsRefused() {
    let world = World()
    #expect(world.publish(PublishRequest("a", key: String(repeating: "k", count: 255)), to: "c") != nil)
    #expect(world.publish(PublishRequest("a", key: String(repeating: "k", count: 256)), to: "c") == nil)
  }

  @Test func broadcastAnswersInTheOrderOfTheChannels() {
    let world = World(default: .open(historySize: 3), named: ["off": NamespaceOptions()])
    _ = world.publish("0", to: "b")
    var offsets: [UInt64?] = []
    world.on(1) {
      world.hub.broadcast(PublishRequest("x"), to: ["a", "nowhere:1", "b", "off:c"]) { results in
        offsets = results.map { try? $0.get().offset }
      }
    }
    #expect(offsets == [1, nil, 2, 0])
    var isDone = false
    world.on(1) { world.hub.broadcast(PublishRequest("x"), to: []) { isDone = $0.isEmpty } }
    #expect(isDone)
  }

  @Test func aClientPublishesWithItsNameOn() {
    let world = World()
    let (ann, bob) = (world.client("ann", on: 0), world.client("bob", on: 1))
    bob.subscribe("c")
    world.settle()
    var info: ClientInfo?
    bob.onPublication = { info = $0.info }
    world.hub.publish(PublishRequest("x"), to: "c", as: .client(ann))
    world.settle()
    #expect(info === ann.info)
  }
}
