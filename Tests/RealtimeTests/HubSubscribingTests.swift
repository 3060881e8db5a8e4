import Bytes
import Testing

@testable import Realtime

@Suite struct HubSubscribingTests {
  /// Every combination of the subscriber's, the owner's and the publisher's loop.
  @Test(arguments: [0, 1], [(0, 0), (0, 1), (1, 0), (1, 1)])
  func delivers(home: Int, places: (owner: Int, publisher: Int)) {
    let world = World()
    let channel = world.channel(ownedBy: places.owner)
    let ann = world.client("ann", on: home)
    ann.subscribe(channel)
    world.settle()
    _ = world.publish("hi", to: channel, from: places.publisher)
    #expect(ann.takeEvents() == ["subscribed \(channel)@0", "\(channel)@0=hi"])
  }

  @Test func aPublicationIsEncodedOncePerEncodingForAllLoops() {
    let world = World()
    let clients = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 1)].enumerated().map {
      world.client("\($0.offset)", on: $0.element.0, encoding: $0.element.1)
    }
    for client in clients { client.subscribe("c") }
    world.settle()
    _ = world.publish("hi", to: "c")
    #expect(clients.map { $0.frames.count } == [1, 1, 1, 1, 1])
    let addresses = clients.map { $0.frames[0].address }
    #expect(addresses[0] == addresses[1] && addresses[2] == addresses[3] && addresses[2] == addresses[4])
    #expect(clients[2].frames[0].text == "c!hi")
  }

  @Test(arguments: [0, 1])
  func theReplyComesBeforeTheFirstLivePublication(owner: Int) {
    let world = World(default: .open(historySize: 10))
    let channel = world.channel(ownedBy: owner)
    let neighbour = world.client("neighbour", on: 0)
    neighbour.subscribe(channel)
    world.settle()
    let ann = world.client("ann", on: 0)
    // All of these are under way at once.
    world.later(on: 1) { world.hub.publish(PublishRequest("1"), to: channel, as: .server) }
    ann.subscribe(channel, since: StreamPosition(epoch: "", offset: 0))
    world.later(on: 1) { world.hub.publish(PublishRequest("2"), to: channel, as: .server) }
    world.settle()
    let events = ann.takeEvents()
    let recovered = events.first?.contains("recovered[1]") == true
    #expect(
      events
        == (recovered
          ? ["subscribed \(channel)@1 recovered[1]", "\(channel)@2=2"]
          : ["subscribed \(channel)@0 recovered[]", "\(channel)@1=1", "\(channel)@2=2"]))
  }

  @Test func refusesASecondSubscriptionAlsoWhileTheFirstIsPending() {
    let world = World()
    let channel = world.channel(ownedBy: 1)
    let ann = world.client("ann")
    ann.subscribe(channel)
    ann.subscribe(channel)
    world.settle()
    ann.subscribe(channel)
    #expect(
      ann.takeEvents() == [
        "refused \(channel): alreadySubscribed", "subscribed \(channel)@0",
        "refused \(channel): alreadySubscribed",
      ])
  }

  @Test func refusesWhatIsNotAllowed() {
    let world = World(default: NamespaceOptions(), named: ["open": .open()])
    let ann = world.client("ann")
    for name in ["c", "", "nowhere:1", "open:$x"] { ann.subscribe(name) }
    var granted = SubscribeOptions()
    granted.isGranted = true
    ann.subscribe("c", granted)
    world.settle()
    #expect(
      ann.takeEvents().sorted() == [
        "refused : badRequest", "refused c: permissionDenied", "refused nowhere:1: unknownChannel",
        "subscribed c@0",
        "subscribed open:$x@0",
      ])
    #expect(world.counters.permissionRefusals == 1)
  }

  @Test func aClientHasAtMostItsChannels() {
    let world = World()
    let ann = world.client("ann")
    for number in 0..<129 { ann.subscribe("c\(number)") }
    world.settle()
    let events = ann.takeEvents()
    #expect(events.count(where: { $0.hasPrefix("subscribed") }) == 128)
    #expect(events.contains("refused c128: limitExceeded"))
    #expect(world.counters.limitRefusals == 1)
    #expect(world.hub.unsubscribe(ann, from: "c0"))
    ann.subscribe("c128")
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c128@0"])
  }

  @Test func aLoopOwnsAtMostItsChannels() {
    var limits = HubLimits()
    limits.maximumChannelsPerLoop = 2
    let world = World(loops: 2, limits: limits)
    let names = (0..<3).map { _ in "" }.indices.map { world.channel(ownedBy: 1, "c\($0)-") }
    let ann = world.client("ann", on: 0)
    for name in names { ann.subscribe(name) }
    world.settle()
    #expect(ann.takeEvents().last == "refused \(names[2]): limitExceeded")
    // The refused one left nothing behind, and its place is usable once there is room.
    world.hub.unsubscribe(ann, from: names[0])
    world.settle()
    ann.subscribe(names[2])
    world.settle()
    #expect(ann.takeEvents() == ["subscribed \(names[2])@0"])
    #expect(world.hub.shards[1].refused.isEmpty)
    #expect(world.counters.channels == 2)
  }

  @Test(arguments: [0, 1])
  func unsubscribingWhileSubscribingLeavesNothingBehind(owner: Int) {
    let world = World()
    let channel = world.channel(ownedBy: owner)
    let ann = world.client("ann")
    ann.subscribe(channel)
    #expect(world.hub.unsubscribe(ann, from: channel))
    #expect(!world.hub.unsubscribe(ann, from: channel))
    world.settle()
    _ = world.publish("hi", to: channel)
    let events = ann.takeEvents()
    // On its own loop the subscription had begun before it ended.
    #expect(events == (owner == 0 ? ["subscribed \(channel)@0"] : ["refused \(channel): unsubscribed"]))
    expectNothingLeft(world)
  }

  @Test(arguments: [0, 1])
  func closingWhileSubscribingLeavesNothingBehind(owner: Int) {
    let world = World()
    let channel = world.channel(ownedBy: owner)
    let ann = world.client("ann")
    ann.subscribe(channel)
    world.hub.remove(ann)
    world.hub.remove(ann)
    world.settle()
    ann.subscribe(channel)
    _ = world.publish("hi", to: channel)
    let begun = owner == 0 ? "subscribed \(channel)@0" : "refused \(channel): closed"
    #expect(ann.takeEvents().sorted() == ["refused \(channel): closed", begun].sorted())
    expectNothingLeft(world)
    #expect(world.counters.clients == 0 && world.counters.users == 0)
  }

  @Test func comingBackBeforeTheLeavingArrivedIsPresentOnce() {
    let world = World()
    let channel = world.channel(ownedBy: 1)
    let ann = world.client("ann")
    ann.subscribe(channel)
    world.hub.unsubscribe(ann, from: channel)
    ann.subscribe(channel)
    world.settle()
    #expect(ann.takeEvents() == ["refused \(channel): unsubscribed", "subscribed \(channel)@0"])
    var present: [String] = []
    world.on(0) {
      world.hub.presence(of: channel, as: .server) { present = ((try? $0.get()) ?? []).map(\.client) }
    }
    #expect(present == ["ann"])
    #expect(world.counters.subscriptions == 1)
  }

  @Test func aSubscriberThatPublishesWhileItReceivesKeepsTheOrderForAll() {
    let world = World(loops: 1, default: .open(historySize: 10))
    let clients = (0..<4).map { world.client("\($0)") }
    for client in clients { client.subscribe("c") }
    clients[1].onPublication = { [unowned world] publication in
      guard publication.data.text == "1" else { return }
      world.hub.publish(PublishRequest("2"), to: "c", as: .client(clients[1]))
    }
    _ = world.publish("1", to: "c")
    for client in clients { #expect(client.takeEvents() == ["subscribed c@0", "c@1=1", "c@2=2"]) }
  }

  @Test func handlersThatAnswerEachOtherLetTheLoopGoOn() {
    let world = World(loops: 1)
    let ann = world.client("ann")
    ann.subscribe("c")
    var (count, isStopped) = (0, false)
    ann.onPublication = { [unowned world] _ in
      count += 1
      if !isStopped { world.hub.publish(PublishRequest("again"), to: "c", as: .server) }
    }
    world.later(on: 0) { world.hub.publish(PublishRequest("first"), to: "c", as: .server) }
    world.later(on: 0) { isStopped = true }
    world.settle()
    #expect(isStopped && (100...10_000).contains(count))
    #expect(ann.frames.count == count)
  }

  @Test func whoIsRemovedWhileOthersAreCalledIsNotCalled() {
    let world = World(loops: 1)
    let clients = (0..<4).map { world.client("\($0)") }
    for client in clients { client.subscribe("c") }
    clients[0].onPublication = { [unowned world] _ in
      world.hub.remove(clients[2])
      world.hub.unsubscribe(clients[0], from: "c")
    }
    _ = world.publish("1", to: "c")
    #expect(clients.map { $0.frames.count } == [1, 1, 0, 1])
    _ = world.publish("2", to: "c")
    #expect(clients.map { $0.frames.count } == [1, 2, 0, 2])
  }

  private func expectNothingLeft(_ world: World) {
    let counters = world.counters
    #expect(counters.channels == 0 && counters.subscriptions == 0 && counters.heldChannels == 0)
    #expect(world.hub.shards.allSatisfy { $0.heard.isEmpty && $0.owned.isEmpty && $0.refused.isEmpty })
  }
}
