import Testing

@testable import Gateways
@testable import Realtime

/// The fields of an extension: `consumer` and `ack`. Who does not use them sees nothing of it.
@Suite struct SessionAcknowledgementTests {
  private func connected(_ world: SessionWorld, user: String = "ann") -> TestClient {
    world.connected("{\"token\":\"\(SessionWorld.token(user))\"}")
  }

  private func connectedInProtobuf(_ world: SessionWorld) -> TestClient {
    world.connectedInProtobuf("1:'\(SessionWorld.token())'")
  }

  private static let consume = #"{"id":2,"subscribe":{"channel":"jobs:x","consumer":"phone"}}"#

  @Test func whatWasNotAcknowledgedComesAgainInJSON() {
    let world = SessionWorld()
    let first = connected(world)
    #expect(first.call(Self.consume) == [#"{"id":2,"subscribe":{"epoch":"z","consumer":"phone"}}"#])
    for number in 1...2 { world.publish("\(number)", to: "jobs:x") }
    #expect(
      first.take() == [
        #"{"push":{"channel":"jobs:x","pub":{"offset":1,"data":1}}}"#,
        #"{"push":{"channel":"jobs:x","pub":{"offset":2,"data":2}}}"#,
      ])
    #expect(first.call(#"{"id":3,"ack":{"channel":"jobs:x","offset":1}}"#) == [#"{"id":3,"ack":{}}"#])
    world.run { first.session?.closed() }
    world.publish("3", to: "jobs:x")
    let second = connected(world)
    #expect(
      second.call(Self.consume) == [
        #"{"id":2,"subscribe":{"offset":1,"epoch":"z","publications":[{"offset":2,"data":2},{"offset":3,"data":3}],"#
          + #""recovered":true,"was_recovering":true,"consumer":"phone"}}"#
      ])
    // Without a number there is no reply; it counts all the same.
    #expect(second.call(#"{"ack":{"channel":"jobs:x","offset":3}}"#) == [])
    world.run { second.session?.closed() }
    #expect(
      connected(world).call(Self.consume) == [
        #"{"id":2,"subscribe":{"offset":3,"epoch":"z","recovered":true,"was_recovering":true,"consumer":"phone"}}"#
      ])
  }

  @Test func whatWasNotAcknowledgedComesAgainInProtobuf() {
    let world = SessionWorld()
    let first = connectedInProtobuf(world)
    let consume = "1:2 5{1:'jobs:x' 1001:'phone'}"
    #expect(first.callInProtobuf(consume) == [ProtobufText.stream("1:2 6{6:'z' 1001:'phone'}")])
    for number in 1...2 { world.publish("\(number)", to: "jobs:x") }
    #expect(
      first.takeBytes() == [
        ProtobufText.stream("4{2:'jobs:x' 4{4:'1' 6:1}}"), ProtobufText.stream("4{2:'jobs:x' 4{4:'2' 6:2}}"),
      ])
    #expect(first.callInProtobuf("1:3 1001{1:'jobs:x' 2:1}") == [ProtobufText.stream("1:3 1001{}")])
    world.run { first.session?.closed() }
    let second = connectedInProtobuf(world)
    #expect(
      second.callInProtobuf(consume)
        == [ProtobufText.stream("1:2 6{6:'z' 7{4:'2' 6:2} 8:1 9:1 12:1 1001:'phone'}")])
    #expect(second.callInProtobuf("1001{1:'jobs:x' 2:2}") == [])
    world.run { second.session?.closed() }
    #expect(
      connectedInProtobuf(world).callInProtobuf(consume)
        == [ProtobufText.stream("1:2 6{6:'z' 8:1 9:2 12:1 1001:'phone'}")])
  }

  /// Two may be on their way, the third waits; whoever acknowledges in time gets them all at once.
  @Test func tooManyOnTheirWay() {
    let world = SessionWorld()
    let client = connected(world)
    client.send(Self.consume)
    _ = client.take()
    for number in 1...2 { world.publish("\(number)", to: "jobs:x") }
    #expect(client.take().count == 2)
    client.send(#"{"ack":{"channel":"jobs:x","offset":1}}"#)
    world.publish("3", to: "jobs:x")
    #expect(client.take() == [#"{"push":{"channel":"jobs:x","pub":{"offset":3,"data":3}}}"#])
    world.publish("4", to: "jobs:x")
    #expect(client.take() == [])
    #expect(
      client.call(#"{"id":3,"ack":{"channel":"jobs:x","offset":3}}"#) == [
        #"{"push":{"channel":"jobs:x","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#,
        #"{"id":3,"ack":{}}"#,
      ])
    for number in 5...6 { world.publish("\(number)", to: "jobs:x") }
    #expect(
      client.call(Self.consume) == [
        #"{"id":2,"subscribe":{"offset":3,"epoch":"z","publications":[{"offset":4,"data":4},{"offset":5,"data":5}],"#
          + #""recovered":true,"was_recovering":true,"consumer":"phone"}}"#
      ])
  }

  @Test func consumersOfAChannel() {
    let world = SessionWorld()
    for user in ["ann", "bob"] {
      #expect(connected(world, user: user).call(Self.consume).first?.contains("consumer") == true)
    }
    #expect(
      connected(world, user: "cat").call(Self.consume)
        == [#"{"id":2,"error":{"code":106,"message":"limit exceeded"}}"#])
  }

  @Test(arguments: [(29, true), (30, false)])
  func aPlaceIsKeptForAWhile(seconds: UInt64, isKept: Bool) {
    let world = SessionWorld()
    let first = connected(world)
    first.send(Self.consume)
    world.publish("1", to: "jobs:x")
    world.run { first.session?.closed() }
    world.advance(seconds: seconds)
    let reply = connected(world).call(Self.consume)
    #expect(reply.first?.contains("publications") == isKept)
  }

  @Test(arguments: [(1, true), (255, true), (256, false), (0, false)])
  func names(length: Int, isTaken: Bool) {
    let name = String(repeating: "n", count: length)
    let reply = connected(SessionWorld()).call(
      "{\"id\":2,\"subscribe\":{\"channel\":\"jobs:x\",\"consumer\":\"\(name)\"}}")
    #expect(
      reply == [
        isTaken
          ? "{\"id\":2,\"subscribe\":{\"epoch\":\"z\",\"consumer\":\"\(name)\"}}"
          : #"{"id":2,"error":{"code":107,"message":"bad request"}}"#
      ])
  }

  @Test func refusals() {
    let world = SessionWorld()
    #expect(
      world.connected().call(Self.consume)
        == [#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#])
    #expect(
      connected(world).call(#"{"id":2,"subscribe":{"channel":"open:x","consumer":"phone"}}"#)
        == [#"{"id":2,"error":{"code":108,"message":"not available"}}"#])
    // Null is nothing.
    #expect(
      world.connected().call(#"{"id":2,"subscribe":{"channel":"jobs:x","consumer":null}}"#)
        == [#"{"id":2,"subscribe":{"epoch":"z"}}"#])
  }

  /// Who was unsubscribed a moment ago may not know it yet.
  @Test func acknowledgementsThatMeanNothing() {
    let world = SessionWorld()
    let client = connected(world)
    #expect(
      client.call(#"{"id":2,"ack":{"channel":"jobs:x","offset":1}}"#)
        == [#"{"id":2,"error":{"code":108,"message":"not available"}}"#])
    #expect(client.call(#"{"ack":{"channel":"jobs:x","offset":1}}"#) == [])
    client.send(#"{"id":3,"subscribe":{"channel":"jobs:x"}}"#)
    _ = client.take()
    #expect(
      client.call(#"{"id":4,"ack":{"channel":"jobs:x","offset":1}}"#)
        == [#"{"id":4,"error":{"code":108,"message":"not available"}}"#])
  }

  @Test(arguments: [
    #"{"id":2,"ack":{}}"#, #"{"id":2,"ack":{"channel":"jobs:x"}}"#, #"{"ack":{"offset":1}}"#,
    #"{"id":2,"ack":{"channel":"jobs:x","offset":-1}}"#, #"{"id":2,"ack":1}"#,
    #"{"id":2,"ack":{"channel":"jobs:x","offset":18446744073709551616}}"#,
  ])
  func whatIsNotTheProtocol(command: String) {
    #expect(connected(SessionWorld()).call(command) == ["close 3501 bad request"])
  }

  @Test func nobodyIsBeyondTheEnd() {
    let world = SessionWorld()
    let client = connected(world)
    client.send(Self.consume)
    world.publish("1", to: "jobs:x")
    client.send(#"{"ack":{"channel":"jobs:x","offset":18446744073709551615}}"#)
    world.publish("2", to: "jobs:x")
    world.run { client.session?.closed() }
    #expect(connected(world).call(Self.consume).first?.contains(#""publications":[{"offset":2"#) == true)
  }

  /// Whoever is sent much may say much; what says nothing new counts.
  @Test func onlyIdleAcknowledgementsCountForTheRate() {
    let world = SessionWorld {
      $0.rateLimits.connection[.command] = RateLimit(perSecond: 1, burst: 3)
    }
    let client = connected(world)
    client.send(Self.consume)
    _ = client.take()
    for number in 1...10 {
      world.publish("\(number)", to: "jobs:x")
      #expect(
        client.call("{\"id\":\(number + 2),\"ack\":{\"channel\":\"jobs:x\",\"offset\":\(number)}}").last
          == "{\"id\":\(number + 2),\"ack\":{}}")
    }
    let again = #"{"id":20,"ack":{"channel":"jobs:x","offset":10}}"#
    let replies = (0..<3).flatMap { _ in client.call(again) }
    #expect(replies.first == #"{"id":20,"ack":{}}"#)
    #expect(replies.last?.contains(#""code":111"#) == true)
  }

  @Test func acknowledgedPublicationsAreCounted() {
    let world = SessionWorld()
    let client = connected(world)
    client.send(Self.consume)
    for number in 1...2 { world.publish("\(number)", to: "jobs:x") }
    for _ in 1...2 { client.send(#"{"ack":{"channel":"jobs:x","offset":2}}"#) }
    #expect(world.hub.shards.reduce(0) { $0 + $1.counters.acknowledged } == 2)
  }
}
