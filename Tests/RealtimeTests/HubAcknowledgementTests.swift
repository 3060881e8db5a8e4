import Testing

@testable import Realtime

/// What is not acknowledged is sent again.
@Suite struct HubAcknowledgementTests {
  private func world(_ change: (inout NamespaceOptions) -> Void = { _ in }) -> World {
    var rules = NamespaceOptions.open(historySize: 99)
    rules.allowsAcknowledgement = true
    rules.allowsTagsFilter = true
    rules.maximumUnacknowledgedPublications = 3
    rules.maximumConsumers = 2
    rules.consumerRetentionMilliseconds = 1_000
    rules.historyTTLMilliseconds = 1_000_000
    change(&rules)
    return World(default: rules)
  }

  private func consume(_ world: World, _ client: Client, name: String = "phone", _ filter: TagsFilter? = nil)
  {
    var options = SubscribeOptions()
    options.consumerName = name
    options.filter = filter
    client.subscribe("c", options)
    world.settle()
  }

  private func acknowledge(_ world: World, _ client: Client, _ offset: UInt64) -> Bool {
    var done = false
    world.on(world.loops.firstIndex { $0 === client.loop } ?? 0) {
      done = world.hub.acknowledge(client, in: "c", upTo: offset)
    }
    return done
  }

  private func leave(_ world: World, _ client: Client) {
    world.on(world.loops.firstIndex { $0 === client.loop } ?? 0) { world.hub.remove(client) }
  }

  @Test func whatIsNotAcknowledgedComesAgain() {
    let world = world()
    let first = world.client("one", user: "ann")
    consume(world, first)
    for text in ["1", "2", "3"] { _ = world.publish(text, to: "c") }
    #expect(acknowledge(world, first, 1))
    leave(world, first)
    _ = world.publish("4", to: "c")
    let second = world.client("two", on: 1, user: "ann")
    consume(world, second)
    #expect(second.takeEvents() == ["subscribed c@4 recovered[2 3 4]"])
    // Three wait for their acknowledgement: one more is too much.
    _ = world.publish("5", to: "c")
    #expect(second.takeEvents() == ["unsubscribed c 2500 insufficient state"])
    consume(world, second)
    #expect(second.takeEvents() == ["subscribed c@5 recovered[2 3 4 5]"])
    #expect(acknowledge(world, second, 5))
    _ = world.publish("6", to: "c")
    #expect(second.takeEvents() == ["c@6=6"])
  }

  @Test func othersHaveAPlaceOfTheirOwn() {
    let world = world()
    let ann = world.client("one", user: "ann")
    consume(world, ann)
    _ = world.publish("1", to: "c")
    leave(world, ann)
    let (bob, tablet) = (world.client("b", user: "bob"), world.client("t", user: "ann"))
    consume(world, bob)
    #expect(bob.takeEvents() == ["subscribed c@1"])
    consume(world, tablet, name: "tablet")
    #expect(tablet.takeEvents() == ["refused c: limitExceeded"])
  }

  @Test(arguments: [(999, "subscribed c@1 recovered[1]"), (1_000, "subscribed c@1")])
  func aPlaceIsForgotten(milliseconds: UInt64, outcome: String) {
    let world = world()
    let ann = world.client("one", user: "ann")
    consume(world, ann)
    _ = world.publish("1", to: "c")
    leave(world, ann)
    world.advance(milliseconds)
    let back = world.client("two", user: "ann")
    consume(world, back)
    #expect(back.takeEvents() == [outcome])
  }

  @Test func whatAFilterHoldsBackIsPassed() {
    let world = world()
    var node = TagsFilterNode()
    (node.key, node.cmp) = ("t", "ex")
    let ann = world.client("one", user: "ann")
    consume(world, ann, TagsFilter(node))
    _ = world.publish(PublishRequest("1", tags: [(name: "t", value: "")]), to: "c")
    for text in ["2", "3", "4", "5"] { _ = world.publish(text, to: "c") }
    #expect(acknowledge(world, ann, 1))
    leave(world, ann)
    let back = world.client("two", user: "ann")
    consume(world, back)
    #expect(back.takeEvents() == ["subscribed c@5 recovered[]"])
  }

  @Test func nobodyAcknowledgesWhatIsNotThere() {
    let world = world()
    let ann = world.client("one", user: "ann")
    #expect(!acknowledge(world, ann, 1))
    consume(world, ann)
    _ = world.publish("1", to: "c")
    #expect(acknowledge(world, ann, .max))
    _ = world.publish("2", to: "c")
    leave(world, ann)
    let back = world.client("two", user: "ann")
    consume(world, back)
    #expect(back.takeEvents() == ["subscribed c@2 recovered[2]"])
  }

  @Test func aTakenOverPlaceIsNotForgotten() {
    let world = world()
    let (first, second) = (world.client("one", user: "ann"), world.client("two", user: "ann"))
    consume(world, first)
    consume(world, second)
    leave(world, first)
    world.advance(5_000)
    _ = world.publish("1", to: "c")
    leave(world, second)
    let back = world.client("three", user: "ann")
    consume(world, back)
    #expect(back.takeEvents() == ["subscribed c@1 recovered[1]"])
  }

  @Test func refusals() {
    let world = world()
    let anonymous = world.client("a", user: "")
    consume(world, anonymous)
    #expect(anonymous.takeEvents() == ["refused c: permissionDenied"])
    let ann = world.client("b", user: "ann")
    for name in ["", String(repeating: "n", count: 256)] { consume(world, ann, name: name) }
    #expect(ann.takeEvents() == ["refused c: badRequest", "refused c: badRequest"])
    consume(world, ann, name: String(repeating: "n", count: 255))
    #expect(ann.takeEvents() == ["subscribed c@0"])
    let other = self.world { $0.allowsAcknowledgement = false }
    let bob = other.client("b", user: "bob")
    consume(other, bob)
    #expect(bob.takeEvents() == ["refused c: notAvailable"])
  }

  @Test func nothingIsLeft() {
    let world = world()
    let ann = world.client("one", user: "ann")
    consume(world, ann)
    _ = world.publish("1", to: "c")
    leave(world, ann)
    world.advance(2_000_000)
    #expect(world.hub.shards.allSatisfy { $0.owned.isEmpty })
  }
}
