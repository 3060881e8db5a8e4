import Bytes
import EventLoops
import Synchronization
import Testing

@testable import Realtime

/// Real loops, each on its thread.
@Suite struct HubConcurrencyTests {
  /// Publishers on all loops, subscribers on all loops: all see the same, in the order of the offsets.
  @Test(arguments: [1, 2, 3])
  func concurrentPublishersMakeOneOrder(loops count: Int) async {
    let group = EventLoopGroup(loops: count)
    let counter = EpochCounter()
    let hub = Hub(
      loops: group.loops, namespaces: Namespaces(default: .open(historySize: 10)),
      encodings: [PlainEncoding()],
      wallClock: { 0 }, randomBits: { counter.next() })
    let (perLoop, subscribersPerLoop) = (500, 3)
    let (logs, log) = AsyncStream<[String]>.makeStream()
    for loop in group.loops {
      for number in 0..<subscribersPerLoop {
        await withCheckedContinuation { subscribed in
          loop.execute {
            let collector = Collector(loop, "\(loop.index)-\(number)", expected: perLoop * count) {
              log.yield($0)
            }
            hub.add(collector)
            hub.subscribe(collector, to: "c") { _ in subscribed.resume() }
          }
        }
      }
    }
    for loop in group.loops {
      loop.execute {
        for number in 0..<perLoop {
          hub.publish(PublishRequest("\(loop.index):\(number)"), to: "c", as: .server)
        }
      }
    }
    var seen: [[String]] = []
    for await log in logs {
      seen.append(log)
      if seen.count == count * subscribersPerLoop { break }
    }
    #expect(Set(seen).count == 1)
    for loop in 0..<count {
      #expect(seen[0].filter { $0.hasPrefix("\(loop):") } == (0..<perLoop).map { "\(loop):\($0)" })
    }
    // Clients and the channels that they are in hold each other.
    for shard in hub.shards {
      shard.loop.execute { for client in shard.clients.values { hub.remove(client) } }
    }
    group.shutdown()
  }

  @Test func theAsyncMethodsMayBeCalledFromAnywhere() async throws {
    let group = EventLoopGroup(loops: 2)
    let hub = Hub(
      loops: group.loops, namespaces: Namespaces(default: .open(historySize: 10, ttl: 3_600_000)),
      encodings: [PlainEncoding()],
      wallClock: { 0 }, randomBits: { 35 })
    #expect(try await hub.publish(PublishRequest("1"), to: "c") == StreamPosition(epoch: "z", offset: 1))
    #expect(try await hub.history(of: "c", HistoryQuery(limit: nil)).publications.map(\.data.text) == ["1"])
    #expect(try await hub.presence(of: "c").isEmpty)
    #expect(await hub.channels(ChannelPattern("")).isEmpty)
    #expect(await hub.counters().published == 1)
    #expect(await hub.disconnect(ClientSelection(user: "ann"), code: 3000, reason: "") == 0)
    await #expect(throws: HubError.unknownChannel) { try await hub.publish(PublishRequest("1"), to: "no:c") }
    group.shutdown()
  }
}

/// Collects texts, checks their offsets, and hands them over when it has as many as expected.
private final class Collector: Subscriber {
  private var texts: [String] = []
  private let expected: Int
  private let done: ([String]) -> Void

  init(_ loop: EventLoop, _ name: String, expected: Int, done: @escaping ([String]) -> Void) {
    self.expected = expected
    self.done = done
    super.init(loop: loop, info: ClientInfo(client: name, user: ""))
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    texts.append(publication.data.text)
    #expect(publication.offset == UInt64(texts.count))
    if texts.count == expected { done(texts) }
  }
}
