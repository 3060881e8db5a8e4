import Bytes
import Realtime
import Testing

@testable import Gateways

/// What a subscribe command may ask for besides: differences, filters, positions, the last publication; and what tokens
/// set against the namespace's options.
@Suite struct SessionSelectionTests {
  private static func long(_ number: Int) -> String {
    "{\"number\":\(number),\"text\":\"\(String(repeating: "tick ", count: 50))\"}"
  }

  private static func quoted(_ json: String) -> String {
    "\"" + json.replacing("\"", with: "\\\"") + "\""
  }

  @Test func differencesInJSON() {
    let world = SessionWorld()
    let client = world.connected()
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"news:x","delta":"fossil"}}"#)
        == [#"{"id":2,"subscribe":{"epoch":"z","delta":true}}"#])
    for number in 1...2 { world.publish(Self.long(number), to: "news:x") }
    let pushes = client.take()
    guard pushes.count == 2 else {
      Issue.record("\(pushes)")
      return
    }
    #expect(
      pushes[0]
        == "{\"push\":{\"channel\":\"news:x\",\"pub\":{\"offset\":1,\"data\":\(Self.quoted(Self.long(1)))}}}")
    #expect(pushes[1].contains(#""delta":true"#) && pushes[1].utf8.count < 150)
    // What was missed is spelled alike.
    #expect(
      client.call(#"{"id":3,"unsubscribe":{"channel":"news:x"}}"#) == [#"{"id":3,"unsubscribe":{}}"#])
    let recovered = client.call(
      #"{"id":4,"subscribe":{"channel":"news:x","delta":"fossil","recover":true,"epoch":"z","offset":1}}"#)
    #expect(
      recovered == [
        #"{"id":4,"subscribe":{"recoverable":true,"positioned":true,"offset":1,"epoch":"z","publications":[{"offset":2,"#
          + "\"data\":\(Self.quoted(Self.long(2)))}],"
          + #""recovered":true,"was_recovering":true,"delta":true}}"#
      ])
  }

  @Test func differencesInProtobuf() {
    let world = SessionWorld()
    let client = world.connectedInProtobuf()
    #expect(
      client.callInProtobuf("1:2 5{1:'news:x' 12:'fossil'}") == [ProtobufText.stream("1:2 6{6:'z' 13:1}")])
    for number in 1...2 { world.publish(Self.long(number), to: "news:x") }
    let pushes = client.takeBytes()
    guard pushes.count == 2 else {
      Issue.record("\(pushes)")
      return
    }
    #expect(pushes[0] == ProtobufText.stream("4{2:'news:x' 4{4:'\(Self.long(1))' 6:1}}"))
    // The last field: `delta`.
    #expect(pushes[1].suffix(2) == [0x40, 1] && pushes[1].count < 150)
  }

  @Test func differencesThatNobodyKnowsOrThatAreOff() {
    let client = SessionWorld().connected()
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"open:x","delta":"fossil"}}"#)
        == [#"{"id":2,"subscribe":{"epoch":"z"}}"#])
    #expect(
      client.call(#"{"id":3,"subscribe":{"channel":"news:x","delta":"xdelta"}}"#) == [
        "close 3501 bad request"
      ])
  }

  /// Unchecked bytes may be spelled differently, so there is no difference from them or to them.
  @Test func noDifferencesOfWhatIsNoJSON() {
    let world = SessionWorld()
    let client = world.connected()
    client.send(#"{"id":2,"subscribe":{"channel":"news:x","delta":"fossil"}}"#)
    _ = client.take()
    world.publish(Self.long(1), to: "news:x")
    world.run {
      var request = PublishRequest(data: bytes(Self.long(2)))
      request.isUnchecked = true
      world.hub.publish(request, to: "news:x", as: .server)
    }
    world.publish(Self.long(3), to: "news:x")
    let pushes = client.take()
    #expect(pushes.count == 3 && !pushes.contains { $0.contains(#""delta""#) })
  }

  private func publish(_ tags: [(name: String, value: String)], in world: SessionWorld) {
    world.run {
      var request = PublishRequest(data: bytes("1"))
      request.tags = tags
      world.hub.publish(request, to: "news:x", as: .server)
    }
  }

  @Test func filters() {
    let world = SessionWorld()
    let (json, protobuf) = (world.connected(), world.connectedInProtobuf())
    let filter =
      #"{"op":"and","nodes":[{"key":"a","cmp":"eq","val":"1"},{"op":"not","nodes":[{"key":"b","cmp":"in","vals":["2","3"]}]}]}"#
    #expect(
      json.call("{\"id\":2,\"subscribe\":{\"channel\":\"news:x\",\"tf\":\(filter)}}")
        == [#"{"id":2,"subscribe":{"epoch":"z"}}"#])
    #expect(
      protobuf.callInProtobuf(
        "1:2 5{1:'news:x' 13{1:'and' 6{2:'a' 3:'eq' 4:'1'} 6{1:'not' 6{2:'b' 3:'in' 5:'2' 5:'3'}}}}")
        == [ProtobufText.stream("1:2 6{6:'z'}")])
    for (tags, isShown) in [
      ([("a", "1")], true), ([("a", "2")], false), ([("a", "1"), ("b", "3")], false),
      ([("a", "1"), ("b", "4")], true), ([], false),
    ] {
      publish(tags.map { (name: $0.0, value: $0.1) }, in: world)
      #expect(json.take().count == (isShown ? 1 : 0) && protobuf.takeBytes().count == (isShown ? 1 : 0))
    }
  }

  @Test(arguments: [
    #"{"channel":"news:x","tf":{}}"#, #"{"channel":"news:x","tf":{"key":"a","cmp":"like","val":"1"}}"#,
    #"{"channel":"open:x","tf":{"key":"a","cmp":"eq","val":"1"}}"#,
  ])
  func filtersThatAreNone(subscribe: String) {
    #expect(
      SessionWorld().connected().call("{\"id\":2,\"subscribe\":\(subscribe)}")
        == [#"{"id":2,"error":{"code":107,"message":"bad request"}}"#])
  }

  @Test func positionsAndTheLastPublication() {
    let world = SessionWorld()
    let client = world.connected()
    for number in 1...3 { world.publish("\(number)", to: "news:x") }
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"news:x","positioned":true}}"#)
        == [#"{"id":2,"subscribe":{"positioned":true,"offset":3,"epoch":"z"}}"#])
    client.send(#"{"id":3,"unsubscribe":{"channel":"news:x"}}"#)
    _ = client.take()
    #expect(
      client.call(#"{"id":4,"subscribe":{"channel":"news:x","recover":true}}"#)
        == [
          #"{"id":4,"subscribe":{"recoverable":true,"positioned":true,"offset":2,"epoch":"z","#
            + #""publications":[{"offset":3,"data":3}],"recovered":true,"was_recovering":true}}"#
        ])
  }

  // MARK: Overrides

  private func subscribe(
    _ channel: String, _ change: (inout SubscriptionOverrides) -> Void, in world: SessionWorld
  )
    -> (TestClient, [String])
  {
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    let token = SessionWorld.token {
      $0.channel = channel
      change(&$0.overrides)
    }
    return (
      client, client.call("{\"id\":2,\"subscribe\":{\"channel\":\"\(channel)\",\"token\":\"\(token)\"}}")
    )
  }

  @Test func aTokenOverridesRecoveryAndPositions() {
    let world = SessionWorld()
    #expect(
      subscribe("open:x", { $0.forcesRecovery = true }, in: world).1
        == [#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"z"}}"#])
    #expect(
      subscribe("open:x", { $0.forcesPositioning = true }, in: world).1
        == [#"{"id":2,"subscribe":{"positioned":true,"epoch":"z"}}"#])
    // Nothing is kept there.
    #expect(subscribe("plain:x", { $0.forcesRecovery = true }, in: world).1 == [#"{"id":2,"subscribe":{}}"#])
  }

  @Test func aTokenOverridesPresenceJoinsAndLeaves() {
    let world = SessionWorld()
    let watcher = world.connected()
    watcher.send(#"{"id":2,"subscribe":{"channel":"open:x","join_leave":true}}"#)
    _ = watcher.take()
    let (hidden, _) = subscribe(
      "open:x",
      {
        $0.keepsPresence = false
        $0.emitsJoinLeave = false
        $0.forcesJoinLeave = true
      }, in: world)
    #expect(
      watcher.call(#"{"id":3,"presence_stats":{"channel":"open:x"}}"#)
        == [#"{"id":3,"presence_stats":{"num_clients":1,"num_users":1}}"#])
    let other = world.connected()
    other.send(#"{"id":2,"subscribe":{"channel":"open:x"}}"#)
    #expect(hidden.take().map { $0.contains(#""join""#) } == [true])
    _ = watcher.take()
    world.run { hidden.session?.closed() }
    #expect(watcher.take() == [])
    world.run { other.session?.closed() }
    #expect(watcher.take().map { $0.contains(#""leave""#) } == [true])
  }
}
