import Bytes
import EventLoops
import HTTPCore
import Testing

@testable import Gateways
@testable import Realtime

@Suite struct WebhooksTests {
  private final class World {
    let network = SimulatedNetwork()
    let loop: EventLoop
    let server: SimulatedHTTPServer
    let webhooks: Webhooks
    let clock = Clock()

    init(_ change: (inout WebhookOptions) -> Void = { _ in }) throws {
      loop = network.makeLoop()
      server = SimulatedHTTPServer(network)
      var options = WebhookOptions(url: try WebURL("http://127.0.0.1/hook", schemes: ["http"]))
      change(&options)
      let clock = clock
      webhooks = Webhooks(
        loops: [loop], options: options, wallClock: { clock.seconds * 1_000 },
        makeIdentifier: { clock.nextIdentifier() })
    }

    func tell(_ events: WebhookEvent...) {
      for event in events { loop.execute { [webhooks] in webhooks.tell(event) } }
      network.runUntilIdle()
    }

    func count(_ name: String) -> UInt64? { webhooks.counters.values.first { $0.name == name }?.value }
  }

  @Test func aBatch() throws {
    let world = try World { $0.secret = "s" }
    let info = ClientInfo(client: "c", user: "ann")
    world.tell(
      .connected(info), .disconnected(info, code: 3_001, reason: "shutdown"), .channelOccupied("a"),
      .channelVacated("a"), .memberAdded(info, channel: "a"), .memberRemoved(info, channel: "a"),
      .cacheMissed("a"))
    #expect(world.server.take().isEmpty)
    world.network.advance(milliseconds: 100)
    let request = try #require(world.server.take().first)
    let body =
      #"{"events":[{"event":"connect","time_ms":1700000000000,"client":"c","user":"ann"},"#
      + #"{"event":"disconnect","time_ms":1700000000000,"client":"c","user":"ann","code":3001,"reason":"shutdown"},"#
      + #"{"event":"channel_occupied","time_ms":1700000000000,"channel":"a"},"#
      + #"{"event":"channel_vacated","time_ms":1700000000000,"channel":"a"},"#
      + #"{"event":"member_added","time_ms":1700000000000,"channel":"a","client":"c","user":"ann"},"#
      + #"{"event":"member_removed","time_ms":1700000000000,"channel":"a","client":"c","user":"ann"},"#
      + #"{"event":"cache_miss","time_ms":1700000000000,"channel":"a"}]}"#
    #expect(request.hasSuffix("\r\n\r\n" + body))
    let code = HMACCode.make(Array("1700000000.\(body)".utf8), key: Array("s".utf8), .sha256)
    let text = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    #expect(
      request.contains("\r\nX-Martlet-Timestamp: 1700000000\r\nX-Martlet-Signature: sha256=\(text)\r\n"))
    #expect(request.contains("\r\nX-Martlet-Delivery: c1\r\n"))
    world.server.answer("", status: 204)
    #expect(world.count("webhook_events") == 7)
  }

  @Test func oneBatchAtATime() throws {
    let world = try World { $0.maximumBatch = 2 }
    world.tell(.channelOccupied("1"), .channelOccupied("2"), .channelOccupied("3"))
    world.network.advance(milliseconds: 100)
    #expect(world.server.takeBody().contains(#""channel":"2""#))
    world.tell(.channelOccupied("4"))
    world.network.advance(milliseconds: 1_000)
    #expect(world.server.take().isEmpty)
    world.server.answer("")
    let body = world.server.takeBody()
    #expect(body.contains(#""channel":"3""#) && body.contains(#""channel":"4""#))
  }

  @Test func whatFailsIsSentAgain() throws {
    let log = TestLog()
    let world = try World {
      $0.maximumAttempts = 3
      $0.log = log.log
    }
    world.tell(.channelOccupied("1"))
    world.network.advance(milliseconds: 100)
    var deliveries: [Bool] = []
    for pause in [500, 1_000, 0] {
      deliveries.append(world.server.take().first?.contains("X-Martlet-Delivery: c1\r\n") == true)
      world.server.answer("", status: 500)
      world.network.advance(milliseconds: UInt64(max(pause, 1)) - 1)
      #expect(world.server.take().isEmpty)
      world.network.advance(milliseconds: 1)
    }
    #expect(deliveries == [true, true, true])
    #expect(world.server.take().isEmpty)
    #expect(world.count("webhook_failures") == 3)
    #expect(world.count("webhook_events_dropped") == 1)
    let lines = log.take()
    #expect(lines.count == 4)
    #expect(lines.first?.hasPrefix("warning events were not taken delivery=c1 attempt=1 ") == true)
    #expect(lines.last == "error   events were dropped delivery=c1 events=1")
    // The next batch goes its way.
    world.tell(.channelOccupied("2"))
    world.network.advance(milliseconds: 100)
    #expect(world.server.takeBody().contains(#""channel":"2""#))
  }

  @Test func theQueueIsBounded() throws {
    let world = try World { $0.maximumQueued = 2 }
    world.tell(.channelOccupied("1"), .channelOccupied("2"), .channelOccupied("3"))
    #expect(world.count("webhook_events_dropped") == 1)
    world.network.advance(milliseconds: 100)
    let body = world.server.takeBody()
    #expect(body.contains(#""channel":"2""#) && !body.contains(#""channel":"3""#))
  }

  @Test func onlyWhatIsAskedFor() throws {
    let world = try World { $0.kinds = [.channelVacated] }
    world.tell(.channelOccupied("1"), .channelVacated("2"))
    world.network.advance(milliseconds: 100)
    let body = world.server.takeBody()
    #expect(!body.contains("occupied") && body.contains("vacated"))
  }
}
