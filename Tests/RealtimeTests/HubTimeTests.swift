import Testing

@testable import Realtime

/// Publications with a time of their own, and those that wait for theirs.
@Suite struct HubTimeTests {
  @Test(arguments: [(999, "recovered[1 2 3]"), (1_000, "recovered[1 3]")])
  func whatIsOverIsNotShown(milliseconds: UInt64, outcome: String) {
    let world = World(default: .open(historySize: 9))
    let epoch = world.publish("1", to: "c")?.epoch ?? ""
    _ = world.publish(PublishRequest("2", ttl: 1_000), to: "c")
    _ = world.publish("3", to: "c")
    world.advance(milliseconds)
    let ann = world.client("ann")
    ann.subscribe("c", since: StreamPosition(epoch: epoch, offset: 0))
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c@3 \(outcome)"])
  }

  @Test func historyPassesOver() {
    let world = World(default: .open(historySize: 9))
    for (text, ttl) in [("1", 5), ("2", nil), ("3", 5), ("4", nil)] as [(String, UInt64?)] {
      _ = world.publish(PublishRequest(text, ttl: ttl), to: "c")
    }
    world.advance(5)
    var pages: [String] = []
    world.on(0) {
      for query in [HistoryQuery(limit: 1), HistoryQuery(limit: 9), HistoryQuery(limit: 1, reverse: true)] {
        world.hub.history(of: "c", query, as: .server) { result in
          pages.append((try? result.get())?.publications.map(\.data.text).joined() ?? "error")
        }
      }
    }
    #expect(pages == ["2", "24", "4"])
  }

  @Test func aCacheDoesNotHandOutWhatIsOver() {
    var rules = NamespaceOptions.open(historySize: 2)
    rules.recoveryMode = .cache
    let world = World(default: rules)
    _ = world.publish("1", to: "c")
    _ = world.publish(PublishRequest("2", ttl: 10), to: "c")
    world.advance(10)
    let ann = world.client("ann")
    ann.subscribe("c", since: StreamPosition())
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c@2 recovered[1]"])
  }

  @Test(arguments: [0, 1])
  func whatWaitsIsPublishedThen(owner: Int) {
    let world = World(default: .open(historySize: 9))
    let channel = world.channel(ownedBy: owner)
    let ann = world.client("ann")
    ann.subscribe(channel)
    world.settle()
    #expect(world.publish(PublishRequest("late", delay: 500), to: channel) == StreamPosition())
    _ = world.publish("early", to: channel)
    #expect(world.counters.delayed == 1)
    world.advance(499)
    #expect(ann.takeEvents() == ["subscribed \(channel)@0", "\(channel)@1=early"])
    world.advance(1)
    #expect(ann.takeEvents() == ["\(channel)@2=late"])
    #expect(world.counters.delayed == 0)
  }

  @Test func aKeyHoldsWhileItsPublicationWaits() {
    let world = World(default: .open(historySize: 9))
    let ann = world.client("ann")
    ann.subscribe("c")
    for _ in 0..<3 { _ = world.publish(PublishRequest("x", key: "k", delay: 100), to: "c") }
    world.advance(100)
    #expect(ann.takeEvents() == ["subscribed c@0", "c@1=x"])
    #expect(world.counters.suppressed == 2)
  }

  @Test func whatWaitsIsBounded() {
    var limits = HubLimits()
    limits.maximumDelayedPublications = 2
    limits.maximumDelayMilliseconds = 1_000
    let world = World(loops: 1, limits: limits)
    let answers = { (delay: UInt64) in
      var error: HubError?
      world.on(0) {
        world.hub.publish(PublishRequest("x", delay: delay), to: "c", as: .server) {
          if case .failure(let refusal) = $0 { error = refusal }
        }
      }
      return error
    }
    #expect(answers(1_001) == .badRequest)
    #expect(answers(1_000) == nil && answers(1) == nil && answers(1) == .limitExceeded)
    world.advance(1)
    #expect(answers(1) == nil)
    #expect(world.counters.limitRefusals == 1)
  }
}
