import EventLoops
import Realtime
import Testing

@testable import Gateways

@Suite struct SessionConnectTests {
  private func connect(_ token: String) -> String { "{\"id\":1,\"connect\":{\"token\":\"\(token)\"}}" }

  @Test func anonymous() {
    let world = SessionWorld()
    let client = world.open()
    #expect(
      client.call(#"{"id":1,"connect":{"name":"js","version":"","data":{},"subs":{}}}"#)
        == [#"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true}}"#])
    #expect(client.info?.user == "")
  }

  @Test func withATokenThatExpires() {
    let token = SessionWorld.token { $0.expiresAt = SessionWorld.epoch + 60 }
    let client = SessionWorld().open()
    #expect(
      client.call(connect(token))
        == [
          #"{"id":1,"connect":{"client":"c1","version":"1","expires":true,"ttl":60,"ping":25,"pong":true}}"#
        ])
    #expect(client.info?.user == "ann")
  }

  @Test func withoutPings() {
    let world = SessionWorld { $0.pingIntervalMilliseconds = 0 }
    #expect(
      world.open().call(#"{"id":7,"connect":{}}"#) == [#"{"id":7,"connect":{"client":"c1","version":"1"}}"#])
  }

  @Test func anExpiredTokenIsAnErrorAndABadOneTheEnd() {
    let expired = SessionWorld.token { $0.expiresAt = SessionWorld.epoch }
    let client = SessionWorld().open()
    #expect(client.call(connect(expired)) == [#"{"id":1,"error":{"code":109,"message":"token expired"}}"#])
    // The client may try again on the same connection.
    #expect(client.call(connect(SessionWorld.token())).count == 1)
    #expect(client.info != nil)
    #expect(SessionWorld().open().call(connect("x")) == ["close 3500 invalid token"])
    let anonymous = SessionWorld { $0.allowsAnonymous = false }
    #expect(anonymous.open().call(#"{"id":1,"connect":{}}"#) == ["close 3500 invalid token"])
    #expect(anonymous.open().call(connect(SessionWorld.token())).count == 1)
  }

  /// Clients send them in one message: the error is what they have to see, not the end of the connection.
  @Test func whatComesBehindARefusedConnectCommandIsPassedOver() {
    let expired = SessionWorld.token { $0.expiresAt = SessionWorld.epoch }
    let client = SessionWorld().open()
    let subscribe = #"{"id":2,"subscribe":{"channel":"open:x"}}"#
    let replies = client.call(connect(expired) + "\n" + subscribe + "\n{}\n" + #"{"id":3,"unknown":{}}"#)
    #expect(replies == [#"{"id":1,"error":{"code":109,"message":"token expired"}}"#])
    #expect(client.call(connect(SessionWorld.token())).count == 1)
    #expect(client.call(subscribe) == [#"{"id":2,"subscribe":{"epoch":"z"}}"#])
    #expect(SessionWorld().open().call(subscribe) == ["close 3501 bad request"])
  }

  /// Some SDKs leave the connection open, and take its end for that of their next one: it must let them come back.
  @Test func aRefusedClientThatStaysIsNotToldToStayAway() {
    let world = SessionWorld()
    let client = world.open()
    let expired = SessionWorld.token { $0.expiresAt = SessionWorld.epoch }
    #expect(client.call(connect(expired)).count == 1)
    world.advance(seconds: 9)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3000 connection closed"])
  }

  @Test func aSubscriptionTokenOpensNoConnection() {
    let token = SessionWorld.token { $0.channel = "open:x" }
    #expect(SessionWorld().open().call(connect(token)) == ["close 3500 invalid token"])
    let client = SessionWorld().connected("{\"token\":\"\(SessionWorld.token())\"}")
    #expect(
      client.call("{\"id\":2,\"refresh\":{\"token\":\"\(token)\"}}") == ["close 3500 invalid token"])
  }

  @Test(arguments: [
    "", " \n", "\n", "{", "nonsense", "[]", "1", "null", #"{"id":1,"connect":{}}x"#,
    #"{"id":1,"connect":[]}"#,
    #"{"id":"one","connect":{}}"#, #"{"id":-1,"connect":{}}"#, #"{"id":1.5,"connect":{}}"#,
    #"{"id":4294967296,"connect":{}}"#, #"{"id":1,"connect":{"token":5}}"#, #"{"connect":{}}"#, "{}{}", "{}",
    #"{"id":1,"subscribe":{"channel":"open:x"}}"#, #"{"id":1,"frobnicate":{}}"#, #"{"send":{}}"#, "\u{0}",
    #"{"id":1,"connect":{}"#, #"{"id":1,"connect":{"data":"# + String(repeating: "[", count: 100_000),
  ])
  func whatIsNotTheProtocol(text: String) {
    let world = SessionWorld()
    let client = world.open()
    #expect(client.call(text) == ["close 3501 bad request"])
    #expect(client.call(#"{"id":1,"connect":{}}"#) == [])
    #expect(world.counters["bad_requests"] == 1 && world.counters["sessions_closed"] == 1)
  }

  @Test func twice() {
    #expect(SessionWorld().connected().call(#"{"id":2,"connect":{}}"#) == ["close 3501 bad request"])
  }

  @Test(arguments: [
    (#"{"user":"ann"}"#, "ann"), ("5", ""), (#"{"user":5}"#, ""), (#"{"user":""}"#, ""), ("null", ""),
  ])
  func userOfTheData(data: String, user: String) {
    let world = SessionWorld { $0.takesUserFromConnectData = true }
    #expect(world.connected("{\"data\":\(data)}").info?.user == user)
    // Elsewhere the data is of no interest.
    #expect(SessionWorld().connected("{\"data\":\(data)}").info?.user == "")
  }

  @Test func userOfTheDataIsRefused() {
    for name in [#"a\n"#, String(repeating: "a", count: 65)] {
      let client = SessionWorld { $0.takesUserFromConnectData = true }.open()
      #expect(
        client.call("{\"id\":1,\"connect\":{\"data\":{\"user\":\"\(name)\"}}}")
          == ["close 3500 invalid token"])
    }
    let closed = SessionWorld {
      $0.takesUserFromConnectData = true
      $0.allowsAnonymous = false
    }
    #expect(
      closed.open().call(#"{"id":1,"connect":{"data":{"user":"a"}}}"#) == ["close 3500 invalid token"])
  }

  // MARK: Subscriptions by the server

  @Test(arguments: 1...3)
  func channelsOfTheToken(loops: Int) {
    let world = SessionWorld(loops: loops)
    let token = SessionWorld.token { $0.channels = ["closed:x", "nowhere:y", "closed:x", ""] }
    let client = world.open()
    #expect(
      client.call(connect(token))
        == [
          #"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true,"subs":{"closed:x":{}}}}"#
        ])
    world.publish("1", to: "closed:x")
    #expect(client.take() == [#"{"push":{"channel":"closed:x","pub":{"data":1}}}"#])
  }

  @Test func subscriptionsOfTheToken() {
    let world = SessionWorld()
    let token = SessionWorld.token {
      var subscription = TokenClaims.Subscription(channel: "closed:x")
      subscription.data = Array("[1]".utf8)
      subscription.endsAt = SessionWorld.epoch + 5
      $0.subscriptions = [subscription]
      $0.channels = ["closed:x"]
    }
    let client = world.open()
    #expect(client.call(connect(token))[0].hasSuffix(#""subs":{"closed:x":{"data":[1]}}}}"#))
    world.advance(seconds: 30)
    #expect(client.take().last == "close 3006 subscription expired")
  }

  /// As SDKs ask for what they had: a channel that the client may subscribe to, and what it may not.
  @Test func channelsThatTheClientHadBefore() {
    let world = SessionWorld()
    world.publish("1", to: "open:x")
    let token = SessionWorld.token { $0.channels = ["closed:y"] }
    let subs =
      #"{"open:x":{"recover":true,"epoch":"z","offset":0},"closed:x":{},"nowhere:x":{},"":{},"closed:y":{}}"#
    let client = world.open()
    #expect(
      client.call("{\"id\":1,\"connect\":{\"token\":\"\(token)\",\"subs\":\(subs)}}")
        == [
          #"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true,"subs":{"closed:y":{},"#
            + #""open:x":{"recoverable":true,"positioned":true,"epoch":"z","publications":[{"offset":1,"data":1}],"recovered":true,"#
            + #""was_recovering":true}}}}"#
        ])
    world.publish("2", to: "open:x")
    #expect(client.take().count == 1)
  }

  /// The limit of the world is three channels.
  @Test(arguments: [2, 3, 4])
  func moreChannelsThanMayBe(count: Int) {
    let token = SessionWorld.token { $0.channels = (0..<count).map { "closed:\($0)" } + ["closed:0"] }
    let answer = SessionWorld().open().call(connect(token))
    #expect(
      count > 3 ? answer == ["close 3505 channel limit"] : answer[0].contains("\"closed:\(count - 1)\""))
  }

  @Test func aNewTokenWithOtherChannels() {
    func refresh(_ channels: [String], _ later: [String]) -> [String] {
      let first = SessionWorld.token { $0.channels = channels }
      let second = SessionWorld.token { $0.channels = later }
      let client = SessionWorld().connected("{\"token\":\"\(first)\"}")
      return client.call("{\"id\":2,\"refresh\":{\"token\":\"\(second)\"}}")
    }
    #expect(
      refresh(["closed:x", "closed:y"], ["closed:y", "closed:x"])[0].hasPrefix("{\"id\":2,\"refresh\""))
    #expect(refresh(["closed:x"], []) == ["close 3010 insufficient state"])
    #expect(refresh(["closed:x"], ["closed:x", "closed:y"]) == ["close 3010 insufficient state"])
  }

  @Test func channelsOfTheTokenAreRecovered() {
    let world = SessionWorld()
    for number in 1...3 { world.publish("\(number)", to: "open:x") }
    let token = SessionWorld.token { $0.channels = ["open:x"] }
    let subs = #"{"open:x":{"recover":true,"epoch":"z","offset":2}}"#
    #expect(
      world.open().call("{\"id\":1,\"connect\":{\"token\":\"\(token)\",\"subs\":\(subs)}}")
        == [
          #"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true,"subs":{"open:x":"#
            + #"{"recoverable":true,"positioned":true,"offset":2,"epoch":"z","#
            + #""publications":[{"offset":3,"data":3}],"recovered":true,"was_recovering":true}}}}"#
        ])
  }

  /// One channel is subscribed to at once, the other when its owner has answered; between them something is
  /// published in the first.
  @Test func pushesFollowTheConnectReply() {
    let world = SessionWorld(loops: 2)
    let (near, far) = (world.channel(ownedBy: 0), world.channel(ownedBy: 1))
    let client = world.open()
    client.begin(connect(SessionWorld.token { $0.channels = [near, far] }))
    for number in 1...2 {
      world.turn {
        world.hub.publish(PublishRequest(data: bytes("\(number)")), to: near, as: .server) { _ in }
      }
    }
    world.turn { world.hub.unsubscribe(ClientSelection(user: "ann"), from: near) }
    for _ in 0..<4 { world.loops[0].turn() }
    #expect(client.take() == [])
    world.network.runUntilIdle()
    let events = client.take()
    #expect(events.count == 4)
    #expect(events.first?.hasPrefix(#"{"id":1,"connect":{"#) == true)
    #expect(
      events.dropFirst()
        == [
          "{\"push\":{\"channel\":\"\(near)\",\"pub\":{\"offset\":1,\"data\":1}}}",
          "{\"push\":{\"channel\":\"\(near)\",\"pub\":{\"offset\":2,\"data\":2}}}",
          "{\"push\":{\"channel\":\"\(near)\",\"unsubscribe\":{\"code\":2000,\"reason\":\"server unsubscribe\"}}}",
        ])
    world.publish("3", to: far)
    #expect(client.take() == ["{\"push\":{\"channel\":\"\(far)\",\"pub\":{\"offset\":1,\"data\":3}}}"])
  }

  @Test func pushesThatAreHeldBackHaveALimit() {
    let world = SessionWorld(loops: 2)
    let (near, far) = (world.channel(ownedBy: 0), world.channel(ownedBy: 1))
    let client = world.open()
    client.begin(connect(SessionWorld.token { $0.channels = [near, far] }))
    let data = bytes("\"" + String(repeating: "x", count: 60_000) + "\"")
    for _ in 0..<17 {
      world.turn { world.hub.publish(PublishRequest(data: data), to: near, as: .server) { _ in } }
    }
    for _ in 0..<4 { world.loops[0].turn() }
    #expect(client.take() == [])
    world.turn { world.hub.publish(PublishRequest(data: data), to: near, as: .server) { _ in } }
    for _ in 0..<4 { world.loops[0].turn() }
    #expect(client.take() == ["close 3008 slow"])
    world.network.runUntilIdle()
    #expect(client.take() == [])
  }
}
