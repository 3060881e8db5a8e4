import Testing

@testable import Gateways

/// Sessions over long-polling.
@Suite struct PollSessionTests {
  private static let connect = #"{"id":1,"connect":{}}"#
  private static let reply =
    #"{"id":1,"connect":{"client":"c2","version":"1","session":"0-c1","node":"n"}}"#

  private func body(_ data: String = "", ack: Int = 0, wait: Int? = nil, session: String = "0-c1") -> String {
    let wait = wait.map { #","wait":\#($0)"# } ?? ""
    return #"{"session":"\#(session)","ack":\#(ack)\#(wait),"data":\#(quoted(data))}"#
  }

  private func answer(_ from: Int, _ replies: String...) -> String {
    #"{"session":"0-c1","from":\#(from),"replies":[\#(replies.joined(separator: ","))]}"#
  }

  private func open(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.exchange("POST /connection/poll", body(Self.connect, session: ""))
    #expect(peer.response().body == answer(1, Self.reply))
    return peer
  }

  @Test func aSession() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#, ack: 1))
    let (status, head, text) = peer.response()
    #expect(status == "200" && text == answer(2, #"{"id":2,"subscribe":{}}"#))
    #expect(head.contains("\r\nCache-Control: no-store\r\n") && head.contains("\r\nContent-Length: "))
    peer.request("POST /connection/poll", body(ack: 2))
    #expect(peer.take() == "")
    world.publish("1", to: "plain:a")
    let push = { (data: Int) in #"{"push":{"channel":"plain:a","pub":{"data":\#(data)}}}"# }
    #expect(peer.response().body == answer(3, push(1)))
    // Between two polls things wait.
    world.publish("2", to: "plain:a")
    world.publish("3", to: "plain:a")
    peer.request("POST /connection/poll", body(ack: 3))
    #expect(peer.response().body == answer(4, push(2), push(3)))
  }

  @Test func aLostResponseIsGivenAgain() throws {
    let world = try TransportWorld()
    _ = try open(world)
    for _ in 0..<2 {
      let again = try world.exchange("POST /connection/poll", body(#"{"id":2,"ping":{}}"#, ack: 0))
      #expect(again.response().body == answer(1, Self.reply, #"{"id":2,"ping":{}}"#))
    }
    #expect(world.count(of: "transport_commands_repeated") == 1)
  }

  @Test func aPollWithoutNewsIsAnsweredInTime() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body(ack: 1))
    world.advance(milliseconds: 24_999)
    #expect(peer.take() == "")
    world.advance(milliseconds: 1)
    #expect(peer.response().body == answer(2))
    peer.request("POST /connection/poll", body(ack: 1, wait: 10))
    world.advance(milliseconds: 10)
    #expect(peer.response().body == answer(2))
    peer.request("POST /connection/poll", body(ack: 1, wait: 0))
    #expect(peer.response().body == answer(2))
  }

  @Test func aLaterPollTakesTheEarlierOnesPlace() throws {
    let world = try TransportWorld()
    let first = try open(world)
    first.request("POST /connection/poll", body(ack: 1))
    let second = try world.exchange("POST /connection/poll", body(#"{"id":2,"ping":{}}"#, ack: 1), loop: 1)
    #expect(first.response().body == answer(2))
    #expect(second.response().body == answer(2, #"{"id":2,"ping":{}}"#))
  }

  @Test func commandsMayBePostedBesideAPollThatWaits() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body(ack: 1))
    let post = #"{"session":"0-c1","node":"n","data":"{\"id\":2,\"ping\":{}}"}"#
    #expect(try world.exchange("POST /emulation", post, loop: 1).response().status == "204")
    #expect(peer.response().body == answer(2, #"{"id":2,"ping":{}}"#))
  }

  @Test func aClientThatStaysAwayIsForgotten() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    world.advance(milliseconds: 14_999)
    #expect(world.clientCount == 1)
    peer.request("POST /connection/poll", body(ack: 1, wait: 0))
    #expect(peer.response().status == "200")
    world.advance(milliseconds: 15_000)
    #expect(world.clientCount == 0)
    #expect(world.count(of: "poll_sessions_left") == 1)
    peer.request("POST /connection/poll", body(ack: 1))
    #expect(peer.response().status == "404")
    #expect(world.count(of: "transport_sessions_unknown") == 1)
  }

  @Test func theEndIsTheLastReply() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body("nonsense", ack: 1))
    let end = #"{"push":{"disconnect":{"code":3501,"reason":"bad request"}}}"#
    #expect(peer.response().body == answer(2, end))
    // It may be lost, too.
    peer.request("POST /connection/poll", body(ack: 1))
    #expect(peer.response().body == answer(2, end))
    peer.request("POST /connection/poll", body(ack: 2))
    #expect(peer.response().body == answer(3))
    peer.request("POST /connection/poll", body(ack: 2))
    #expect(peer.response().status == "404")
    #expect(world.count(of: "poll_sessions_left") == 0)
  }

  @Test func anEndThatNobodyFetchesIsForgotten() throws {
    let world = try TransportWorld { $0.transports.maximumPollSessionsPerLoop = 1 }
    let peer = try world.exchange("POST /connection/poll", body("nonsense", session: ""))
    #expect(peer.response().body.contains("3501"))
    world.advance(milliseconds: 15_000)
    peer.request("POST /connection/poll", body(Self.connect, session: ""))
    #expect(peer.response().status == "200")
  }

  @Test(arguments: [("x", 0, "400"), (connect, 1, "400"), ("", 0, "400")])
  func whatOpensNoSession(data: String, ack: Int, status: String) throws {
    let world = try TransportWorld()
    let text = data == "x" ? "x" : body(data, ack: ack, session: "")
    #expect(try world.exchange("POST /connection/poll", text).response().status == status)
    #expect(world.count(of: "transport_requests_refused") == 1)
  }

  @Test func whatWasNeverSentCannotHaveArrived() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body(ack: 2))
    #expect(peer.response().status == "400")
  }

  @Test func sessionsAreBounded() throws {
    let world = try TransportWorld { $0.transports.maximumPollSessionsPerLoop = 2 }
    let statuses = try (0..<3).map { _ in
      try world.exchange("POST /connection/poll", body(Self.connect, session: "")).response().status
    }
    #expect(statuses == ["200", "200", "503"])
    #expect(world.count(of: "poll_sessions_refused") == 1)
    let other = try world.exchange("POST /connection/poll", body(Self.connect, session: ""), loop: 1)
    #expect(other.response().status == "200")
    world.advance(milliseconds: 15_000)
    let later = try world.exchange("POST /connection/poll", body(Self.connect, session: ""))
    #expect(later.response().status == "200")
  }

  /// At the limit one more is taken; above it, none.
  @Test(arguments: [(953, 0), (954, 1)])
  func whatWaitsIsBounded(size: Int, slow: UInt64) throws {
    let world = try TransportWorld { $0.transports.maximumQueuedBytes = 1_000 }
    let peer = try open(world)
    peer.request("POST /connection/poll", body(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#, ack: 1))
    peer.request("POST /connection/poll", body(ack: 2, wait: 0))
    _ = peer.take()
    let publication = #"{"push":{"channel":"plain:a","pub":{"data":""}}}"#
    world.publish("\"" + String(repeating: "x", count: size - 1) + "\"", to: "plain:a")
    #expect(publication.utf8.count + size - 1 == 1_000 + Int(slow))
    world.publish("1", to: "plain:a")
    #expect(world.count(of: "transport_slow_clients") == slow)
    peer.request("POST /connection/poll", body(ack: 2))
    let end = #"{"push":{"disconnect":{"code":3008,"reason":"slow"}}}"#
    #expect(peer.response().body.hasSuffix("[\(end)]}") == (slow == 1))
  }

  @Test func theEndOfTheServerIsTold() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /connection/poll", body(ack: 1))
    world.drain()
    #expect(peer.response().body == answer(2, #"{"push":{"disconnect":{"code":3001,"reason":"shutdown"}}}"#))
  }
}
