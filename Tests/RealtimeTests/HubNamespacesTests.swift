import Bytes
import Testing

@testable import Realtime

@Suite struct HubNamespacesTests {
  private func publish(_ world: World, _ channel: String = "a") -> Result<StreamPosition, HubError>? {
    var result: Result<StreamPosition, HubError>?
    world.on(0) {
      world.hub.publish(PublishRequest(data: .make(copying: [1])), to: channel, as: .server) { result = $0 }
    }
    return result
  }

  @Test func aChannelGoesByNewRulesFromItsNextUseOn() throws {
    let world = World(default: NamespaceOptions())
    #expect(try publish(world)?.get() == StreamPosition())
    var kept = NamespaceOptions()
    kept.historySize = 2
    kept.historyTTLMilliseconds = 60_000
    world.hub.use(Namespaces(default: kept))
    world.settle()
    let first = try #require(try publish(world)?.get())
    #expect(first.offset == 1 && !first.epoch.isEmpty)
    #expect(try publish(world)?.get() == StreamPosition(epoch: first.epoch, offset: 2))
    world.hub.use(Namespaces(default: NamespaceOptions()))
    world.settle()
    #expect(try publish(world)?.get() == StreamPosition())
    // What was kept is gone; the count of the stream goes on where it was.
    world.hub.use(Namespaces(default: kept))
    world.settle()
    let later = try #require(try publish(world)?.get())
    #expect(later == StreamPosition(epoch: first.epoch, offset: 3))
    var page: HistoryPage?
    world.on(0) { world.hub.history(of: "a", HistoryQuery(limit: 10), as: .server) { page = try? $0.get() } }
    #expect(page?.publications.map(\.offset) == [3])
  }

  @Test func newLimitsAreForWhatComesFromNowOn() {
    var options = NamespaceOptions()
    options.historySize = 1
    options.historyTTLMilliseconds = 60_000
    let world = World(default: options)
    #expect((try? publish(world, "a")?.get()) != nil)
    var limits = HubLimits()
    limits.maximumChannelsPerLoop = 1
    world.hub.use(limits)
    world.settle()
    let other =
      ["b", "c", "d", "e", "f"].first { world.hub.owner(of: $0) == world.hub.owner(of: "a") } ?? "b"
    #expect(publish(world, other) == .failure(.limitExceeded))
    #expect((try? publish(world, "a")?.get()) != nil)
    limits.maximumChannelsPerLoop = 2
    world.hub.use(limits)
    world.settle()
    #expect((try? publish(world, other)?.get()) != nil)
  }

  @Test func aNamespaceThatIsGoneTakesNothing() {
    let world = World(named: ["news": NamespaceOptions()])
    #expect(publish(world, "news:1") != nil)
    world.hub.use(Namespaces())
    world.settle()
    #expect(publish(world, "news:1") == .failure(.unknownChannel))
    #expect(publish(world, "a") == .failure(.unknownChannel))
  }
}
