import Bytes
import Testing

@testable import Realtime

/// Presence, joins and leaves, and what the server does to users.
@Suite struct HubUsersTests {
  private func presence(_ world: World, _ channel: String) -> (clients: [String], stats: PresenceStats?) {
    var clients: [String] = []
    var stats: PresenceStats?
    world.on(0) {
      world.hub.presence(of: channel, as: .server) {
        clients = ((try? $0.get()) ?? []).map(\.client).sorted()
      }
      world.hub.presenceStats(of: channel, as: .server) { stats = try? $0.get() }
    }
    return (clients, stats)
  }

  @Test(arguments: [0, 1])
  func presenceAcrossLoops(owner: Int) {
    let world = World()
    let channel = world.channel(ownedBy: owner)
    let clients = [("a", 0, "ann"), ("b", 1, "ann"), ("c", 1, "bob")].map {
      world.client($0.0, on: $0.1, user: $0.2)
    }
    for client in clients { client.subscribe(channel) }
    world.settle()
    #expect(presence(world, channel).clients == ["a", "b", "c"])
    #expect(presence(world, channel).stats == PresenceStats(clients: 3, users: 2))
    world.hub.remove(clients[2])
    world.hub.unsubscribe(clients[0], from: channel)
    world.settle()
    #expect(presence(world, channel).clients == ["b"])
    #expect(presence(world, channel).stats == PresenceStats(clients: 1, users: 1))
    #expect(presence(world, "empty").clients == [])
  }

  @Test(arguments: [0, 1])
  func joinsAndLeavesGoToThoseWhoAsk(owner: Int) {
    let world = World()
    let channel = world.channel(ownedBy: owner)
    let (ann, bob, eve) = (world.client("ann", on: 0), world.client("bob", on: 1), world.client("eve", on: 0))
    ann.subscribe(channel, joinLeave: true)
    world.settle()
    bob.subscribe(channel, joinLeave: true)
    world.settle()
    eve.subscribe(channel)
    world.settle()
    world.hub.unsubscribe(bob, from: channel)
    world.settle()
    #expect(
      ann.takeEvents() == [
        "subscribed \(channel)@0", "\(channel)+ann", "\(channel)+bob", "\(channel)+eve", "\(channel)-bob",
      ])
    #expect(bob.takeEvents() == ["subscribed \(channel)@0", "\(channel)+bob", "\(channel)+eve"])
    #expect(eve.takeEvents() == ["subscribed \(channel)@0"])
  }

  @Test func joinsAndLeavesGoToAllWhereTheNamespaceForcesThem() {
    var options = NamespaceOptions.open()
    options.forcesJoinLeave = true
    let world = World(default: options)
    let ann = world.client("ann")
    ann.subscribe("c")
    world.settle()
    #expect(ann.takeEvents() == ["subscribed c@0", "c+ann"])
  }

  @Test func disconnectsAUserEverywhere() {
    let world = World()
    let clients = [("a", 0, "ann"), ("b", 1, "ann"), ("c", 1, "bob"), ("d", 0, "")].map {
      world.client($0.0, on: $0.1, user: $0.2)
    }
    var count: Int?
    world.on(0) {
      world.hub.disconnect(ClientSelection(user: "ann"), code: 3503, reason: "out") { count = $0 }
    }
    #expect(count == 2)
    #expect(clients.map { $0.takeEvents() } == [["disconnect 3503 out"], ["disconnect 3503 out"], [], []])
    world.on(0) { world.hub.disconnect(ClientSelection(user: ""), code: 3503, reason: "out") { count = $0 } }
    #expect(count == 0)
  }

  @Test(arguments: [
    (ClientSelection(user: "ann", client: "b"), ["b"]), (ClientSelection(user: "ann", client: "c"), []),
    (ClientSelection(user: "ann", except: ["a"]), ["b"]), (ClientSelection(user: "", client: "c"), ["c"]),
    (ClientSelection(user: "", client: "none"), []), (ClientSelection(user: "ann", session: "none"), []),
  ])
  func selects(_ selection: ClientSelection, _ expected: [String]) {
    let world = World()
    let clients = [("a", 0, "ann"), ("b", 1, "ann"), ("c", 1, "bob")].map {
      world.client($0.0, on: $0.1, user: $0.2)
    }
    world.on(1) { world.hub.refresh(selection, isExpired: false, expiresAt: 9) }
    let refreshed = clients.filter { $0.takeEvents() == ["refreshed false 9"] }
    #expect(refreshed.map(\.info.client) == expected)
  }

  @Test func unsubscribesAUserFromAChannel() {
    let world = World()
    let (ann, bob) = (world.client("a", on: 1, user: "ann"), world.client("b", on: 1, user: "bob"))
    for client in [ann, bob] { client.subscribe("c") }
    world.settle()
    world.on(0) { world.hub.unsubscribe(ClientSelection(user: "ann"), from: "c") }
    _ = world.publish("hi", to: "c")
    #expect(ann.takeEvents() == ["subscribed c@0", "unsubscribed c 2000 server unsubscribe"])
    #expect(bob.takeEvents() == ["subscribed c@0", "c@0=hi"])
    #expect(presence(world, "c").clients == ["b"])
  }

  @Test func subscribesAUserAsTheServer() {
    let world = World(default: .open(historySize: 2), named: ["closed": NamespaceOptions()])
    let ann = world.client("a", on: 1, user: "ann")
    world.on(0) {
      world.hub.subscribe(ClientSelection(user: "ann"), to: "closed:1", data: shared("{}"))
      world.hub.subscribe(ClientSelection(user: "ann"), to: "closed:1")
    }
    _ = world.publish("hi", to: "closed:1")
    #expect(ann.takeEvents() == ["server subscribed closed:1 {}", "closed:1@0=hi"])
  }

  @Test func drainsSliceBySlice() {
    let world = World()
    let clients = (0..<20).map { world.client("\($0)", on: $0 % 2) }
    var count: Int?
    world.on(0) { world.hub.drain(overMilliseconds: 200, code: 3001, reason: "shutdown") { count = $0 } }
    #expect(clients.count(where: { !$0.events.isEmpty }) == 4 && count == nil)
    world.advance(100)
    #expect(clients.count(where: { !$0.events.isEmpty }) == 12)
    world.hub.remove(clients[0])
    world.advance(100)
    #expect(clients.allSatisfy { $0.events.count <= 1 } && (19...20).contains(count ?? 0))
    world.on(0) { world.hub.drain(overMilliseconds: 0, code: 3001, reason: "shutdown") { count = $0 } }
    #expect(count == 19)
  }

  @Test func countsClientsUsersAndChannels() {
    let world = World()
    let clients = [("a", 0, "ann"), ("b", 1, "ann"), ("c", 1, "bob"), ("d", 0, "")].map {
      world.client($0.0, on: $0.1, user: $0.2)
    }
    for client in clients { client.subscribe("c") }
    clients[0].subscribe("other")
    world.settle()
    _ = world.publish("hi", to: "c")
    var counters = world.counters
    #expect(
      counters.clients == 4 && counters.users == 2 && counters.channels == 2 && counters.subscriptions == 5)
    #expect(counters.published == 1 && counters.delivered == 4)
    world.hub.remove(clients[0])
    world.settle()
    counters = world.counters
    #expect(
      counters.clients == 3 && counters.users == 2 && counters.channels == 1 && counters.subscriptions == 3)
    for client in clients { world.hub.remove(client) }
    world.settle()
    counters = world.counters
    #expect(
      counters.clients == 0 && counters.users == 0 && counters.channels == 0 && counters.subscriptions == 0)
  }

  @Test func listsChannelsWithSubscribers() {
    let world = World()
    let (ann, bob) = (world.client("ann", on: 0), world.client("bob", on: 1))
    for name in ["chat1", "chat2", "news"] { ann.subscribe(name) }
    bob.subscribe("chat2")
    world.settle()
    var found: [ChannelSummary] = []
    world.on(0) { world.hub.channels(ChannelPattern("chat*")) { found = $0 } }
    #expect(found == [ChannelSummary(name: "chat1", clients: 1), ChannelSummary(name: "chat2", clients: 2)])
    world.on(1) { world.hub.channels(ChannelPattern("")) { found = $0 } }
    #expect(found.map(\.name) == ["chat1", "chat2", "news"])
  }
}
