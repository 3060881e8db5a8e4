import Testing

@testable import Realtime

/// What waits for subscribers that do not take what they are sent.
@Suite struct SlowSubscriberTests {
  private func world(_ policy: SlowConsumerPolicy, tag: String = "", count: Int = 3, bytes: Int = 1_000)
    -> World
  {
    var rules = NamespaceOptions.open(historySize: 99)
    rules.slowConsumers = policy
    rules.conflationTag = tag
    rules.maximumWaitingPublications = count
    rules.maximumWaitingBytes = bytes
    return World(default: rules)
  }

  private func subscriber(_ world: World) -> Client {
    let ann = world.client("ann", on: 1)
    ann.subscribe("c")
    world.settle()
    _ = ann.takeEvents()
    ann.room = 1
    return ann
  }

  private func publish(_ world: World, _ texts: String, tags: String = "") {
    for (index, text) in texts.enumerated() {
      let tag = tags.isEmpty ? nil : String(Array(tags)[index])
      _ = world.publish(
        PublishRequest(String(text), tags: tag.map { [(name: "k", value: $0)] } ?? []), to: "c")
    }
  }

  private func drain(_ world: World, _ ann: Client, room: Int? = nil) -> String {
    ann.room = room
    world.on(1) { world.hub.drained(ann) }
    return ann.takeEvents().compactMap(\.last).map(String.init).joined()
  }

  @Test func withoutAPolicyAllGoOut() {
    let world = world(.disconnect)
    let ann = subscriber(world)
    publish(world, "123456")
    #expect(ann.takeEvents().count == 6)
  }

  /// The first one fills the room.
  @Test(arguments: [("1234", "234", 0), ("12345", "345", 1), ("123456", "456", 2)])
  func theOldestAreDropped(published: String, expected: String, dropped: UInt64) {
    let world = world(.dropOldest)
    let ann = subscriber(world)
    publish(world, published)
    #expect(ann.takeEvents() == ["c@1=1"])
    #expect(drain(world, ann) == expected)
    #expect(world.counters.dropped == dropped)
    publish(world, "9")
    #expect(ann.takeEvents().count == 1)
  }

  @Test func bytesAreBounded() {
    // Frames of five bytes: "c@2=2".
    let world = world(.dropOldest, count: 99, bytes: 14)
    let ann = subscriber(world)
    publish(world, "12345")
    _ = ann.takeEvents()
    #expect(drain(world, ann) == "45")
    #expect(world.counters.dropped == 2)
  }

  @Test func theLastOfAChannelCounts() {
    let world = world(.conflate)
    let ann = subscriber(world)
    publish(world, "12345")
    _ = ann.takeEvents()
    #expect(drain(world, ann) == "5")
    #expect(world.counters.conflated == 3 && world.counters.dropped == 0)
  }

  @Test func theLastOfEachKeyCounts() {
    let world = world(.conflate, tag: "k")
    let ann = subscriber(world)
    publish(world, "1234567", tags: "aababca")
    _ = ann.takeEvents()
    #expect(drain(world, ann) == "567")
    #expect(world.counters.conflated == 3)
    ann.room = 1
    publish(world, "12345", tags: "abcde")
    _ = ann.takeEvents()
    #expect(drain(world, ann) == "345" && world.counters.dropped == 1)
  }

  @Test func whatHasNoKeyStandsForItself() {
    let world = world(.conflate, tag: "other")
    let ann = subscriber(world)
    publish(world, "1234", tags: "aaaa")
    _ = ann.takeEvents()
    #expect(drain(world, ann) == "234")
  }

  @Test func orderIsKeptWhileSomeWait() {
    let world = world(.dropOldest)
    let ann = subscriber(world)
    publish(world, "123")
    _ = ann.takeEvents()
    #expect(drain(world, ann, room: 1) == "2")
    publish(world, "4")
    #expect(ann.takeEvents() == [])
    #expect(drain(world, ann) == "34")
  }

  @Test func nothingIsSentAfterTheEnd() {
    let world = world(.dropOldest)
    let ann = subscriber(world)
    publish(world, "123")
    _ = ann.takeEvents()
    world.on(1) { world.hub.unsubscribe(ann, from: "c") }
    #expect(drain(world, ann) == "")
  }

  @Test func whatIsOverDoesNotGoOut() {
    let world = world(.dropOldest)
    let ann = subscriber(world)
    publish(world, "1")
    _ = world.publish(PublishRequest("2", ttl: 10), to: "c")
    publish(world, "3")
    _ = ann.takeEvents()
    world.advance(10)
    #expect(drain(world, ann) == "3" && world.counters.dropped == 1)
  }
}
