import Bytes
import Testing

@testable import Realtime

@Suite struct SubscriberTests {
  /// Others are shown the same object, however often; publications in a history hold it.
  @Test func aClientIsDescribedOnce() {
    let world = World()
    let client = world.client("a", user: "")
    #expect(client.name == .text("a") && client.client == "a" && client.user == "")
    #expect(client.info === client.info && client.info.client == "a" && client.info.user == "")
    #expect(client.name == .text("a") && client.client == "a" && client.user == "")
  }

  @Test func aUserIsDescribedFromTheStart() {
    let world = World()
    let client = world.client("a", user: "ann")
    #expect(client.user == "ann" && client.info.user == "ann" && client.info === client.info)
  }

  /// What a subscription began with is what its channel is shown, also where nobody is told that it began.
  @Test func subscriptionsGoOnWithWhatTheyBeganWith() {
    var plain = NamespaceOptions.open()
    plain.keepsPresence = false
    plain.emitsJoinLeave = false
    let world = World(loops: 1, default: plain)
    let client = world.client("a", user: "")
    client.subscribe("before")
    world.settle()
    world.on(0) { world.hub.describe(client, connectionInfo: shared("new")) }
    client.subscribe("after")
    world.settle()
    let shard = world.hub.shards[0]
    #expect(shard.subscription(of: client, in: "before")?.info.connectionInfo == nil)
    #expect(shard.subscription(of: client, in: "after")?.info.connectionInfo?.text == "new")
    #expect(client.info.connectionInfo?.text == "new")
  }

  @Test func credentialsAreKeptWhereThereAreAny() {
    let world = World()
    let client = world.client("a", user: "")
    #expect(client.session == "" && client.capabilities.isEmpty && client.token == TokenOrigin())
    client.token = TokenOrigin(identifier: "t", issuedAt: 5)
    client.capabilities = Capabilities([ChannelCapability(channels: ["x"], allowances: .publish)])
    #expect(client.token.identifier == "t" && client.allowances(in: "x") == .publish)
    client.token = TokenOrigin()
    #expect(client.token == TokenOrigin() && client.allowances(in: "x") == .publish)
  }

  @Test func subscriptionsAreTakenOutWhereverTheyAre() {
    for removed in 0..<3 {
      let world = World(loops: 1)
      let client = world.client("a", user: "")
      for name in ["x0", "x1", "x2"] { client.subscribe(name) }
      world.settle()
      #expect(client.subscriptions.count == 3)
      world.on(0) { world.hub.unsubscribe(client, from: "x\(removed)") }
      let left = (0..<3).filter { $0 != removed }.map { "x\($0)" }
      #expect(client.channels.sorted() == left)
      world.on(0) { world.hub.remove(client) }
      #expect(client.subscriptions.first == nil && client.subscriptions.count == 0)
    }
  }
}
