import EventLoops
import Realtime
import Testing

@testable import Gateways

@Suite struct SessionRatesTests {
  private let refusal = #"{"id":9,"error":{"code":111,"message":"too many requests","temporary":true}}"#

  private func publish(_ client: TestClient) -> [String] {
    client.call(#"{"id":9,"publish":{"channel":"plain:x","data":1}}"#)
  }

  @Test func publishingTooOftenIsRefused() {
    let world = SessionWorld {
      $0.rateLimits.connection[.publish] = RateLimit(perSecond: 1, burst: 2)
      $0.rateLimits.maximumRefusals = 2
    }
    let client = world.connected()
    #expect(publish(client) == [#"{"id":9,"publish":{}}"#] && publish(client) == [#"{"id":9,"publish":{}}"#])
    #expect(publish(client) == [refusal])
    // Other commands are not concerned, and time helps.
    #expect(client.call(#"{"id":2,"ping":{}}"#) == [#"{"id":2,"ping":{}}"#])
    world.advance(seconds: 1)
    #expect(publish(client) == [#"{"id":9,"publish":{}}"#])
    #expect(publish(client) == [refusal] && publish(client) == [refusal])
    #expect(publish(client) == ["close 3013 too many requests"])
    #expect(world.counters.values.first { $0.name == "rate_limited" }?.value == 4)
  }

  @Test func aMessageWithoutAReplyIsDropped() {
    let world = SessionWorld { $0.rateLimits.connection[.command] = RateLimit(perSecond: 1, burst: 1) }
    let client = world.connected()
    #expect(client.call(#"{"send":{"data":1}}"#) == [])
    #expect(client.call(#"{"send":{"data":1}}"#) == [])
    #expect(client.call(#"{"id":9,"ping":{}}"#) == [refusal])
  }

  @Test func aUserHasOneCountOnALoop() {
    let world = SessionWorld {
      $0.takesUserFromConnectData = true
      $0.rateLimits.user[.publish] = RateLimit(perSecond: 1, burst: 1)
    }
    let clients = (0..<2).map { _ in world.connected(#"{"data":{"user":"ann"}}"#) }
    #expect(publish(clients[0]) == [#"{"id":9,"publish":{}}"#])
    #expect(publish(clients[1]) == [refusal])
  }

  @Test func addressesAreCountedByWhatACustomerHas() {
    #expect(SocketAddress.ipv4(0x0102_0304, port: 5).counted.text == "1.2.3.4")
    #expect(
      SocketAddress.ipv6(0x20, 1, scope: 0, port: 5).counted.text
        == SocketAddress.ipv6(0x20, 2, scope: 0, port: 6).counted.text)
    #expect(SocketAddress.unix("/x").counted.text == "")
  }
}
