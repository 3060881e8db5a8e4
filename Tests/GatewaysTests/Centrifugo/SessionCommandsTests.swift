import Realtime
import Testing

@testable import Gateways

@Suite struct SessionCommandsTests {
  private static func error(_ code: Int, _ message: String) -> String {
    "{\"id\":2,\"error\":{\"code\":\(code),\"message\":\"\(message)\"}}"
  }

  private static let answers: [(String, String)] = [
    (#"{"id":2,"ping":{}}"#, #"{"id":2,"ping":{}}"#),
    (#"{"id":2,"subscribe":{"channel":"plain:x"}}"#, #"{"id":2,"subscribe":{}}"#),
    (
      #"{"id":2,"subscribe":{"channel":"open:x","recoverable":true}}"#,
      #"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"z"}}"#
    ),
    (#"{"id":2,"unsubscribe":{"channel":"open:x"}}"#, #"{"id":2,"unsubscribe":{}}"#),
    (#"{"id":2,"publish":{"channel":"plain:x","data":{}}}"#, #"{"id":2,"publish":{}}"#),
    (#"{"id":2,"presence":{"channel":"open:x"}}"#, #"{"id":2,"presence":{"presence":{}}}"#),
    (
      #"{"id":2,"presence_stats":{"channel":"open:x"}}"#,
      #"{"id":2,"presence_stats":{"num_clients":0,"num_users":0}}"#
    ),
    (
      #"{"id":2,"history":{"channel":"open:x","limit":-1,"since":null}}"#,
      #"{"id":2,"history":{"publications":[],"epoch":"z"}}"#
    ),
    // A number that fits no command's identifier is none.
    (#"{"id":4294967296,"ping":{}}"#, "close 3501 bad request"),
    (#"{"subscribe":{"channel":"open:x"}}"#, "close 3501 bad request"),
    (#"{"id":2,"refresh":{"token":"x"}}"#, "close 3500 invalid token"),
    (#"{"id":2,"refresh":{}}"#, "close 3501 bad request"),
    // What has to name a channel and does not is no command.
    (#"{"id":2,"subscribe":{"channel":""}}"#, "close 3501 bad request"),
    (#"{"id":2,"unsubscribe":{}}"#, "close 3501 bad request"),
    (#"{"id":2,"publish":{"data":1}}"#, "close 3501 bad request"),
    (#"{"id":2,"publish":{"channel":"plain:x"}}"#, "close 3501 bad request"),
    (#"{"id":2,"presence":{}}"#, "close 3501 bad request"),
    (#"{"id":2,"presence_stats":{}}"#, "close 3501 bad request"),
    (#"{"id":2,"history":{}}"#, "close 3501 bad request"),
    (#"{"id":2,"sub_refresh":{"token":"x"}}"#, "close 3501 bad request"),
  ]

  private static let errors: [(String, String)] = [
    (#"{"id":2,"subscribe":{"channel":"nowhere"}}"#, error(102, "unknown channel")),
    (#"{"id":2,"subscribe":{"channel":"closed:x"}}"#, error(103, "permission denied")),
    (#"{"id":2,"subscribe":{"channel":"open:x","token":"x"}}"#, error(103, "permission denied")),
    (#"{"id":2,"publish":{"channel":"open:x","data":1}}"#, error(103, "permission denied")),
    (#"{"id":2,"sub_refresh":{"channel":"open:x","token":"x"}}"#, error(103, "permission denied")),
    (#"{"id":2,"presence":{"channel":"plain:x"}}"#, error(108, "not available")),
    (#"{"id":2,"presence_stats":{"channel":"plain:x"}}"#, error(108, "not available")),
    (#"{"id":2,"history":{"channel":"plain:x"}}"#, error(108, "not available")),
    (#"{"id":2}"#, error(104, "method not found")),
    (#"{"id":2,"frobnicate":{}}"#, error(104, "method not found")),
    (#"{"id":2,"subscribe":{"channel":"open:\u0000"}}"#, error(107, "bad request")),
    (#"{"id":2,"rpc":{"method":"m"}}"#, error(108, "not available")),
  ]

  @Test(arguments: answers + errors)
  func answered(command: String, answer: String) {
    #expect(SessionWorld().connected().call(command) == [answer])
    #expect(SessionWorld(loops: 3).connected().call(command) == [answer])
  }

  @Test func twiceInAChannelAndTooMany() {
    let client = SessionWorld().connected()
    #expect(client.call(#"{"id":2,"subscribe":{"channel":"plain:1"}}"#) == [#"{"id":2,"subscribe":{}}"#])
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"plain:1"}}"#) == [Self.error(105, "already subscribed")])
    client.send(#"{"id":2,"subscribe":{"channel":"plain:2"}}"#)
    client.send(#"{"id":2,"subscribe":{"channel":"plain:3"}}"#)
    _ = client.take()
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"plain:4"}}"#) == [Self.error(106, "limit exceeded")])
    let data = "\"" + String(repeating: "x", count: 65_535) + "\""
    #expect(
      client.call("{\"id\":2,\"publish\":{\"channel\":\"plain:1\",\"data\":\(data)}}")
        == [Self.error(106, "limit exceeded")])
  }

  @Test func publicationIsPushed() {
    let world = SessionWorld()
    let (ann, bob) = (world.connected(), world.connected("{\"token\":\"\(SessionWorld.token("bob"))\"}"))
    ann.send(#"{"id":2,"subscribe":{"channel":"open:x"}}"#)
    bob.send(#"{"id":2,"subscribe":{"channel":"open:x"}}"#)
    _ = (ann.take(), bob.take())
    let own = ann.call(#"{"id":3,"publish":{"channel":"open:x","data":[ 1.10,"\u0041\n" ]}}"#)
    let push =
      #"{"push":{"channel":"open:x","pub":{"offset":1,"data":[1.10,"\u0041\n"],"#
      + #""info":{"user":"","client":"c1"}}}}"#
    #expect(bob.take() == [push])
    #expect(own.sorted() == [#"{"id":3,"publish":{}}"#, push].sorted())
    #expect(
      bob.call(#"{"id":3,"presence":{"channel":"open:x"}}"#).map(\.count)
        == [
          #"{"id":3,"presence":{"presence":{"c1":{"user":"","client":"c1"},"c2":{"user":"bob","client":"c2"}}}}"#
            .count
        ])
  }

  @Test func joinsAndLeaves() {
    let world = SessionWorld()
    let (ann, bob) = (world.connected(), world.connected())
    ann.send(#"{"id":2,"subscribe":{"channel":"open:x","join_leave":true}}"#)
    _ = ann.take()
    bob.send(#"{"id":2,"subscribe":{"channel":"open:x"}}"#)
    bob.send(#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#)
    #expect(
      ann.take().suffix(2) == [
        #"{"push":{"channel":"open:x","join":{"info":{"user":"","client":"c2"}}}}"#,
        #"{"push":{"channel":"open:x","leave":{"info":{"user":"","client":"c2"}}}}"#,
      ])
    #expect(bob.take() == [#"{"id":2,"subscribe":{"epoch":"z"}}"#, #"{"id":3,"unsubscribe":{}}"#])
  }

  @Test func recovery() {
    let world = SessionWorld()
    let client = world.connected()
    for number in 1...5 { world.publish("\(number)", to: "open:x") }
    #expect(
      client.call(
        #"{"id":2,"subscribe":{"channel":"open:x","recover":true,"epoch":"z","offset":4,"flag":1}}"#)
        == [
          #"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"offset":4,"epoch":"z","#
            + #""publications":[{"offset":5,"data":5}],"recovered":true,"was_recovering":true}}"#
        ])
    client.send(#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#)
    _ = client.take()
    let lost = #"{"channel":"open:x","recover":true,"epoch":"z","offset":1,"flag":"#
    #expect(
      client.call("{\"id\":4,\"subscribe\":\(lost)2}}")
        == [#"{"id":4,"error":{"code":112,"message":"unrecoverable position"}}"#])
    #expect(
      client.call("{\"id\":5,\"subscribe\":\(lost)0}}")
        == [
          #"{"id":5,"subscribe":{"recoverable":true,"positioned":true,"offset":5,"epoch":"z","#
            + #""recovered":false,"was_recovering":true}}"#
        ])
    #expect(
      client.call(#"{"id":6,"history":{"channel":"open:x","limit":1,"reverse":true}}"#)
        == [#"{"id":6,"history":{"publications":[{"offset":5,"data":5}],"offset":5,"epoch":"z"}}"#])
    #expect(
      client.call(
        #"{"id":7,"history":{"channel":"open:x","limit":9,"since":{"offset":4,"epoch":"z"}}}"#)
        == [#"{"id":7,"history":{"publications":[{"offset":5,"data":5}],"offset":5,"epoch":"z"}}"#])
    #expect(
      client.call(#"{"id":8,"history":{"channel":"open:x","limit":0}}"#)
        == [#"{"id":8,"history":{"publications":[],"offset":5,"epoch":"z"}}"#])
  }

  @Test func aTokenOpensAChannel() {
    let client = SessionWorld().connected("{\"token\":\"\(SessionWorld.token())\"}")
    func subscribe(_ token: String) -> [String] {
      client.call("{\"id\":2,\"subscribe\":{\"channel\":\"closed:x\",\"token\":\"\(token)\"}}")
    }
    #expect(
      subscribe(SessionWorld.token { $0.channel = "closed:x" } + "A") == [
        Self.error(103, "permission denied")
      ])
    let expired = SessionWorld.token {
      $0.channel = "closed:x"
      $0.expiresAt = SessionWorld.epoch
    }
    #expect(subscribe(expired) == [Self.error(109, "token expired")])
    let over = SessionWorld.token {
      $0.channel = "closed:x"
      $0.endsAt = SessionWorld.epoch
    }
    #expect(subscribe(over) == [Self.error(110, "expired")])
    #expect(subscribe(SessionWorld.token { $0.channel = "closed:x" }) == [#"{"id":2,"subscribe":{}}"#])
  }

  private static let foreignTokens = [
    SessionWorld.token(), SessionWorld.token { $0.channel = "closed:y" },
    SessionWorld.token("bob") { $0.channel = "closed:x" },
  ]

  @Test(arguments: foreignTokens, ["subscribe", "sub_refresh"])
  func aTokenForSomethingElseEndsTheConnection(token: String, method: String) {
    let client = SessionWorld().connected("{\"token\":\"\(SessionWorld.token())\"}")
    if method == "sub_refresh" {
      let good = SessionWorld.token { $0.channel = "closed:x" }
      client.send("{\"id\":2,\"subscribe\":{\"channel\":\"closed:x\",\"token\":\"\(good)\"}}")
      _ = client.take()
    }
    #expect(
      client.call("{\"id\":3,\"\(method)\":{\"channel\":\"closed:x\",\"token\":\"\(token)\"}}")
        == ["close 3500 invalid token"])
  }

  @Test func refreshingASubscriptionByABadToken() {
    let client = SessionWorld().connected()
    client.send(#"{"id":2,"subscribe":{"channel":"plain:x"}}"#)
    _ = client.take()
    #expect(
      client.call(#"{"id":3,"sub_refresh":{"channel":"plain:x"}}"#) == [
        #"{"id":3,"error":{"code":107,"message":"bad request"}}"#
      ])
    #expect(
      client.call(#"{"id":4,"sub_refresh":{"channel":"plain:x","token":"x"}}"#) == [
        "close 3500 invalid token"
      ])
  }

  @Test func sendHasNoReplyAndPongsAreFine() {
    #expect(SessionWorld().connected().call("{\"send\":{\"data\":1}}\n{}\n{ }\r\n") == [])
  }

  // MARK: What the server does to clients

  @Test func theServerActs() {
    let world = SessionWorld()
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    let ann = ClientSelection(user: "ann")
    world.run {
      world.hub.subscribe(ann, to: "plain:x", options: SubscribeOptions(), data: bytes("[1]")) { _ in }
    }
    #expect(client.take() == [#"{"push":{"channel":"plain:x","subscribe":{"data":[1]}}}"#])
    world.run { world.hub.unsubscribe(ann, from: "plain:x", code: 2500, reason: "r\"") }
    #expect(client.take() == [#"{"push":{"channel":"plain:x","unsubscribe":{"code":2500,"reason":"r\""}}}"#])
    world.run { world.hub.refresh(ann, isExpired: false, expiresAt: SessionWorld.epoch + 9) { _ in } }
    #expect(client.take() == [#"{"push":{"refresh":{"expires":true,"ttl":9}}}"#])
    world.run { world.hub.refresh(ann, isExpired: false, expiresAt: nil) { _ in } }
    #expect(client.take() == [#"{"push":{"refresh":{}}}"#])
    world.run { world.hub.send(bytes("[2]"), to: ann) }
    #expect(client.take() == [#"{"push":{"message":{"data":[2]}}}"#])
    world.run { world.hub.disconnect(ann, code: 3503, reason: "go") }
    #expect(client.take() == ["close 3503 go"])
    #expect(world.counters["sessions_told_to_stay_away"] == 1)
    let other = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    world.run { world.hub.refresh(ann, isExpired: true, expiresAt: nil) { _ in } }
    #expect(other.take() == ["close 3005 connection expired"])
    #expect(world.counters["sessions_told_to_return"] == 1)
  }
}

extension CentrifugoCounters {
  subscript(name: String) -> UInt64? { values.first { $0.name == name }?.value }
}
