import EventLoops
import Realtime
import Testing

@testable import Gateways

@Suite struct SessionTimeTests {
  private static func token(_ channel: String? = nil, seconds: UInt64) -> String {
    SessionWorld.token {
      $0.channel = channel
      $0.expiresAt = SessionWorld.epoch + seconds
    }
  }

  @Test func aClientThatDoesNotConnect() {
    let world = SessionWorld()
    let client = world.open()
    world.advance(seconds: 9)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3502 stale"])
    #expect(world.counters["stale_clients"] == 1)
  }

  @Test func aCommandThatFailsDoesNotMoveTheDeadline() {
    let world = SessionWorld()
    let client = world.open()
    world.advance(seconds: 9)
    let expired = Self.token(seconds: 0)
    #expect(client.call("{\"id\":1,\"connect\":{\"token\":\"\(expired)\"}}").count == 1)
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3000 connection closed"])
  }

  @Test func pingAndPong() {
    let world = SessionWorld()
    let client = world.connected()
    world.advance(seconds: 24)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["{}"])
    world.advance(seconds: 7)
    #expect(client.call("{}") == [])
    world.advance(seconds: 18)
    #expect(client.take() == ["{}"])
    // Another command is no pong.
    #expect(client.call(#"{"id":2,"ping":{}}"#) == [#"{"id":2,"ping":{}}"#])
    world.advance(seconds: 7)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3012 no pong"])
    #expect(world.counters["silent_clients"] == 1)
    world.advance(seconds: 100)
    #expect(client.take() == [])
  }

  @Test func aConnectionExpiresAfterItsGraceUnlessItIsRefreshed() {
    let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected("{\"token\":\"\(Self.token(seconds: 10))\"}")
    #expect(
      client.call("{\"id\":2,\"refresh\":{\"token\":\"\(Self.token(seconds: 20))\"}}")
        == [#"{"id":2,"refresh":{"client":"c1","version":"1","expires":true,"ttl":20}}"#])
    world.advance(seconds: 44)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3005 connection expired"])
    #expect(world.counters["expired_clients"] == 1)
  }

  /// Not error 109, after which clients stay away: they come back with another token.
  @Test func aRefreshByAnExpiredToken() {
    let client = SessionWorld().connected("{\"token\":\"\(Self.token(seconds: 10))\"}")
    #expect(
      client.call("{\"id\":2,\"refresh\":{\"token\":\"\(Self.token(seconds: 0))\"}}")
        == ["close 3005 connection expired"])
  }

  @Test func aRefreshWithoutEnd() {
    let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected("{\"token\":\"\(Self.token(seconds: 10))\"}")
    #expect(
      client.call("{\"id\":2,\"refresh\":{\"token\":\"\(SessionWorld.token())\"}}")
        == [#"{"id":2,"refresh":{"client":"c1","version":"1"}}"#])
    world.advance(seconds: 100)
    #expect(client.take() == [])
  }

  @Test func aRefreshByAnotherUser() {
    let client = SessionWorld().connected("{\"token\":\"\(SessionWorld.token())\"}")
    #expect(
      client.call("{\"id\":2,\"refresh\":{\"token\":\"\(SessionWorld.token("bob"))\"}}")
        == ["close 3500 invalid token"])
  }

  @Test func endsThatAreFarAwayAreNoTrap() {
    for end in [UInt64(999_999_999_999_999), 1 << 40] {
      let token = SessionWorld.token { $0.expiresAt = end }
      let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
      let client = world.connected("{\"token\":\"\(token)\"}")
      world.advance(seconds: 2)
      #expect(client.take() == [] && client.session?.isClosed == false)
    }
    let world = SessionWorld()
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    world.run { world.hub.refresh(ClientSelection(user: "ann"), isExpired: false, expiresAt: .max) { _ in } }
    #expect(client.take() == [#"{"push":{"refresh":{"expires":true,"ttl":4294967295}}}"#])
  }

  @Test func aSubscriptionExpiresUnlessItIsRefreshed() {
    let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    let token = Self.token("closed:x", seconds: 10)
    #expect(
      client.call("{\"id\":2,\"subscribe\":{\"channel\":\"closed:x\",\"token\":\"\(token)\"}}")
        == [#"{"id":2,"subscribe":{"expires":true,"ttl":10}}"#])
    let newer = Self.token("closed:x", seconds: 20)
    #expect(
      client.call("{\"id\":3,\"sub_refresh\":{\"channel\":\"closed:x\",\"token\":\"\(newer)\"}}")
        == [#"{"id":3,"sub_refresh":{"expires":true,"ttl":20}}"#])
    world.advance(seconds: 44)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(
      client.take() == [#"{"push":{"channel":"closed:x","unsubscribe":{"code":2501,"reason":"expired"}}}"#])
    world.publish("1", to: "closed:x")
    world.advance(seconds: 100)
    #expect(client.take() == [] && client.session?.isClosed == false)
  }

  @Test("A newer token says something else of the user, to those who ask and those who hear")
  func aRefreshWithOtherInfo() {
    let world = SessionWorld(loops: 2) { $0.pingIntervalMilliseconds = 0 }
    let other = world.connected()
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    let channel = world.channel(ownedBy: 1)
    func token(_ info: String) -> String {
      SessionWorld.token {
        $0.channel = channel
        $0.info = Array(info.utf8)
      }
    }
    func presence() -> [String] { other.call("{\"id\":9,\"presence\":{\"channel\":\"\(channel)\"}}") }
    let command = "{\"id\":2,\"subscribe\":{\"channel\":\"\(channel)\",\"token\":\"\(token("1"))\"}}"
    #expect(client.call(command).first?.hasPrefix(#"{"id":2,"subscribe":{"#) == true)
    #expect(
      presence() == [#"{"id":9,"presence":{"presence":{"c2":{"user":"ann","client":"c2","chan_info":1}}}}"#])
    #expect(
      client.call("{\"id\":3,\"sub_refresh\":{\"channel\":\"\(channel)\",\"token\":\"\(token("[2]"))\"}}")
        == [#"{"id":3,"sub_refresh":{}}"#])
    #expect(
      presence() == [#"{"id":9,"presence":{"presence":{"c2":{"user":"ann","client":"c2","chan_info":[2]}}}}"#]
    )
    _ = other.call("{\"id\":3,\"subscribe\":{\"channel\":\"\(channel)\",\"join_leave\":true}}")
    _ = client.call("{\"id\":4,\"publish\":{\"channel\":\"\(channel)\",\"data\":0}}")
    #expect(other.take().last?.contains(#""info":{"user":"ann","client":"c2","chan_info":[2]}"#) == true)
    _ = client.call("{\"id\":5,\"unsubscribe\":{\"channel\":\"\(channel)\"}}")
    #expect(
      other.take().last?.contains(#""leave":{"info":{"user":"ann","client":"c2","chan_info":[2]}}"#) == true)
    #expect(presence().first?.contains("c2") == false)
  }

  @Test func aSubscriptionThatWasGivenUpDoesNotExpire() {
    let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    let token = Self.token("closed:x", seconds: 10)
    client.send("{\"id\":2,\"subscribe\":{\"channel\":\"closed:x\",\"token\":\"\(token)\"}}")
    client.send(#"{"id":3,"unsubscribe":{"channel":"closed:x"}}"#)
    _ = client.take()
    world.advance(seconds: 100)
    #expect(client.take() == [])
  }
}
