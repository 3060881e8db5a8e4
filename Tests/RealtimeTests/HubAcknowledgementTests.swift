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
      done = world.hub.acknowledge(client, in: "c", upTo: offset) != nil
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
    #expect(acknowledge(world, second, 4))
    _ = world.publish("5", to: "c")
    #expect(second.takeEvents() == ["c@5=5"])
  }

  /// As many as may be are on their way: the rest comes when the client has dealt with them.
  @Test func whoIsBehindComesAgain() {
    let world = world()
    let client = world.client("one", user: "ann")
    consume(world, client)
    for text in ["1", "2", "3"] { _ = world.publish(text, to: "c") }
    #expect(client.takeEvents() == ["subscribed c@0", "c@1=1", "c@2=2", "c@3=3"])
    for text in ["4", "5", "6", "7", "8"] { _ = world.publish(text, to: "c") }
    #expect(client.takeEvents() == [] && world.counters.consumersBehind == 1)
    // It gets nothing more before all of them are acknowledged, lest it gets something twice.
    #expect(acknowledge(world, client, 2))
    _ = world.publish("9", to: "c")
    #expect(client.takeEvents() == [])
    #expect(acknowledge(world, client, 3))
    #expect(client.takeEvents() == ["unsubscribed c 2500 insufficient state"])
    #expect(!acknowledge(world, client, 3))
    consume(world, client)
    #expect(client.takeEvents() == ["subscribed c@6 recovered[4 5 6]"])
    #expect(acknowledge(world, client, 6))
    #expect(client.takeEvents() == ["unsubscribed c 2500 insufficient state"])
    consume(world, client)
    #expect(client.takeEvents() == ["subscribed c@9 recovered[7 8 9]"])
    #expect(acknowledge(world, client, 9))
    _ = world.publish("10", to: "c")
    #expect(client.takeEvents() == ["c@10=10"])
  }

  /// More than a recovery may bring to others is no loss to a client that acknowledges.
  @Test func aLongAbsenceIsNoLoss() {
    let world = world { $0.maximumRecoveredPublications = 2 }
    let first = world.client("one", user: "ann")
    consume(world, first)
    leave(world, first)
    for number in 1...9 { _ = world.publish("\(number)", to: "c") }
    let second = world.client("two", on: 1, user: "ann")
    for (offset, recovered) in [(3, "1 2 3"), (6, "4 5 6"), (9, "7 8 9")] as [(UInt64, String)] {
      consume(world, second)
      #expect(second.takeEvents() == ["subscribed c@\(offset) recovered[\(recovered)]"])
      #expect(acknowledge(world, second, offset))
      #expect(second.takeEvents() == (offset == 9 ? [] : ["unsubscribed c 2500 insufficient state"]))
    }
    let other = self.world { $0.historySize = 5 }
    let (before, after) = (other.client("one", user: "ann"), other.client("two", user: "ann"))
    consume(other, before)
    leave(other, before)
    for number in 1...6 { _ = other.publish("\(number)", to: "c") }
    consume(other, after)
    #expect(after.takeEvents() == ["subscribed c@6 lost"])
  }

  /// What a filter holds back takes no place among those on their way, and cannot stop a client.
  @Test func aFilterLeavesTheRestBehind() {
    let world = world()
    var node = TagsFilterNode()
    (node.key, node.cmp) = ("t", "ex")
    let first = world.client("one", user: "ann")
    consume(world, first, TagsFilter(node))
    leave(world, first)
    let publish = { (isWanted: Bool) in
      _ = world.publish(PublishRequest("x", tags: isWanted ? [(name: "t", value: "")] : []), to: "c")
    }
    for number in 1...20 { publish(number % 4 == 0) }
    let second = world.client("two", user: "ann")
    consume(world, second, TagsFilter(node))
    #expect(second.takeEvents() == ["subscribed c@12 recovered[x x x]"])
    publish(true)
    #expect(second.takeEvents() == [])
    #expect(acknowledge(world, second, 12))
    #expect(second.takeEvents() == ["unsubscribed c 2500 insufficient state"])
    consume(world, second, TagsFilter(node))
    #expect(second.takeEvents() == ["subscribed c@21 recovered[x x x]"])
    #expect(acknowledge(world, second, 21))
    publish(false)
    publish(true)
    #expect(second.takeEvents() == ["c@23=x"])
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

  /// One at a time: what both were sent would be dealt with twice.
  @Test(arguments: [0, 1])
  func aTakenOverPlaceIsNotForgotten(loop: Int) {
    let world = world()
    let (first, second) = (world.client("one", user: "ann"), world.client("two", on: loop, user: "ann"))
    consume(world, first)
    consume(world, second)
    #expect(first.takeEvents() == ["subscribed c@0", "unsubscribed c 2000 taken over"])
    #expect(second.takeEvents() == ["subscribed c@0 recovered[]"])
    #expect(!acknowledge(world, first, 1))
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
