import EventLoops
import Synchronization
import Testing

@testable import Realtime

@Suite struct HubObserverTests {
  private final class Recorder: HubObserver {
    let said = Mutex<[String]>([])

    private func say(_ text: String) { said.withLock { $0.append(text) } }
    func take() -> [String] {
      said.withLock { said in
        let taken = said
        said = []
        return taken
      }
    }
    func channelOccupied(_ channel: String) { say("+ \(channel)") }
    func channelVacated(_ channel: String) { say("- \(channel)") }
    func cacheMissed(_ channel: String) { say("? \(channel)") }
    func memberAdded(_ info: ClientInfo, to channel: String) { say("+ \(info.client) \(channel)") }
    func memberRemoved(_ info: ClientInfo, from channel: String) { say("- \(info.client) \(channel)") }
  }

  @Test func whatHappensToChannels() {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let recorder = Recorder()
    var present = NamespaceOptions()
    present.subscribe = .everyone
    present.keepsPresence = true
    var plain = NamespaceOptions()
    plain.subscribe = .everyone
    var cached = plain
    cached.historySize = 1
    cached.historyTTLMilliseconds = 1_000
    cached.recoveryMode = .cache
    cached.forcesRecovery = true
    let hub = Hub(
      loops: [loop], namespaces: Namespaces(named: ["present": present, "plain": plain, "cached": cached]),
      encodings: [PlainEncoding()], observer: recorder, wallClock: { 0 }, randomBits: { 1 })
    let clients = ["a", "b"].map { Client(loop, $0) }
    func run(_ body: @escaping () -> Void) {
      let work = Work(body: body)
      loop.execute { work.body() }
      network.runUntilIdle()
    }
    run {
      for client in clients { hub.add(client) }
      for client in clients { hub.subscribe(client, to: "present:1") { _ in } }
    }
    #expect(recorder.take() == ["+ present:1", "+ a present:1", "+ b present:1"])
    run { hub.unsubscribe(clients[0], from: "present:1") }
    #expect(recorder.take() == ["- a present:1"])
    run { hub.remove(clients[1]) }
    #expect(recorder.take() == ["- b present:1", "- present:1"])
    run { hub.subscribe(clients[0], to: "plain:1") { _ in } }
    run { hub.subscribe(clients[0], to: "cached:1") { _ in } }
    #expect(recorder.take() == ["+ plain:1", "? cached:1", "+ cached:1"])
    run { hub.remove(clients[0]) }
    #expect(Set(recorder.take()) == ["- plain:1", "- cached:1"])
  }

  private final class Client: Subscriber {
    init(_ loop: EventLoop, _ name: String) {
      super.init(loop: loop, info: ClientInfo(client: name, user: "u"))
    }
  }

  private struct Work: @unchecked Sendable { let body: () -> Void }
}
