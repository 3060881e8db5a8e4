import Testing

@testable import Gateways
@testable import WebSockets

/// WebSockets for those who have none.
@Suite struct TunnelTests {
  private static let path = "POST /tunnel/connection/websocket"
  private static let connect = quoted(#"{"id":1,"connect":{}}"#)
  private static let reply = quoted(
    #"{"id":1,"connect":{"client":"c2","version":"1","ping":25,"pong":true}}"#)

  private func answer(_ from: Int, _ messages: String...) -> String {
    #"{"session":"0-c1","from":\#(from),"replies":[\#(messages.joined(separator: ","))]}"#
  }

  private func open(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.exchange(Self.path, "{}")
    #expect(peer.response().body == #"{"session":"0-c1","protocol":""}"#)
    return peer
  }

  private func stream(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.exchange(Self.path, #"{"stream":true}"#)
    #expect(peer.chunks(peer.response().body) == ["{\"session\":\"0-c1\",\"protocol\":\"\"}\n"])
    return peer
  }

  private func post(_ world: TransportWorld, _ messages: String, from: Int = 1, loop: Int = 0) throws
    -> String
  {
    let body = #"{"session":"0-c1","from":\#(from),"messages":[\#(messages)]}"#
    return try world.exchange("POST /tunnel", body, loop: loop).response().status
  }

  @Test func messagesUpAndDownByAStream() throws {
    let world = try TransportWorld()
    let peer = try stream(world)
    #expect(try post(world, #"{"text":\#(Self.connect)}"#) == "204")
    #expect(peer.chunks() == ["{\"text\":\(Self.reply)}\n"])
    #expect(
      try post(world, #"{"text":"{\"id\":2,\"subscribe\":{\"channel\":\"plain:a\"}}"}"#, from: 2, loop: 1)
        == "204")
    world.publish("1", to: "plain:a")
    #expect(peer.chunks().count == 2)
    // A post that comes again is taken once.
    #expect(try post(world, #"{"text":"nonsense"}"#, from: 2) == "204")
    #expect(peer.chunks() == [])
    #expect(try post(world, #"{"text":"nonsense"}"#, from: 4) == "400")
  }

  @Test func messagesDownByPolls() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    peer.request("POST /tunnel", #"{"session":"0-c1","ack":0,"messages":[{"text":\#(Self.connect)}]}"#)
    #expect(peer.response().body == answer(1, #"{"text":\#(Self.reply)}"#))
    // A lost answer is given again.
    peer.request("POST /tunnel", #"{"session":"0-c1","ack":0}"#)
    #expect(peer.response().body == answer(1, #"{"text":\#(Self.reply)}"#))
    peer.request("POST /tunnel", #"{"session":"0-c1","ack":1}"#)
    world.advance(milliseconds: 25_000)
    #expect(peer.response().body == answer(2))
  }

  @Test func closesGoBothWays() throws {
    let world = try TransportWorld()
    let peer = try stream(world)
    #expect(try post(world, #"{"binary":"AAEC"}"#) == "204")
    let text = "{\"close\":1003,\"reason\":\"The JSON protocol has text messages only.\"}\n"
    #expect(peer.chunks() == [text, ""])
    #expect(try post(world, #"{"text":"x"}"#, from: 2) == "404")
    let other = try TransportWorld()
    let poller = try open(other)
    poller.request("POST /tunnel", #"{"session":"0-c1","ack":0,"messages":[{"close":1000,"reason":"bye"}]}"#)
    #expect(poller.response().body == answer(1, #"{"close":1000,"reason":""}"#))
    #expect(other.sessions.counters["sessions_closed"] == 1)
    poller.request("POST /tunnel", #"{"session":"0-c1","ack":1}"#)
    #expect(poller.response().body == answer(2))
    poller.request("POST /tunnel", #"{"session":"0-c1","ack":1}"#)
    #expect(poller.response().status == "404")
  }

  @Test func aClientThatGoesIsGoneForTheRoute() throws {
    let world = try TransportWorld()
    let peer = try stream(world)
    #expect(try post(world, #"{"text":\#(Self.connect)}"#) == "204")
    #expect(world.clientCount == 1)
    peer.socket.end()
    world.runUntilIdle()
    #expect(world.clientCount == 0)
    let poller = try TransportWorld()
    _ = try open(poller)
    #expect(try post(poller, #"{"text":\#(Self.connect)}"#) == "204")
    #expect(poller.clientCount == 1)
    poller.advance(milliseconds: 15_000)
    #expect(poller.clientCount == 0)
    poller.advance(milliseconds: 10_000)
    #expect(poller.registries[0].count == 2)
  }

  @Test func aSilentStreamSaysThatItLives() throws {
    let world = try TransportWorld()
    let peer = try stream(world)
    world.advance(milliseconds: 9_999)
    #expect(peer.chunks() == [])
    #expect(try post(world, #"{"text":\#(Self.connect)}"#) == "204")
    _ = peer.take()
    world.advance(milliseconds: 15_001)
    #expect(peer.chunks().contains("\n"))
  }

  @Test func theRouteDecidesWhoIsLetIn() throws {
    let world = try TransportWorld()
    for (line, status) in [
      ("POST /tunnel/nothing", "404"), ("POST /tunnel/health", "502"),
      ("GET /tunnel/connection/websocket", "405"),
      ("POST /tunnel/", "404"), ("POST /tunnel/tunnel/x", "405"),
    ] {
      #expect(try world.exchange(line, "{}").response().status == status, "\(line)")
    }
    let origin = "Origin: https://evil.example\r\n"
    #expect(try world.exchange(Self.path, "{}", fields: origin).response().status == "403")
    #expect(try world.exchange(Self.path, "nonsense").response().status == "400")
    #expect(try world.exchange(Self.path, #"{"protocols":["a,b"]}"#).response().status == "400")
    #expect(try world.exchange("POST /tunnel", #"{"session":"0-c9"}"#).response().status == "404")
  }

  @Test func thePageOfTheSameOriginMay() throws {
    let world = try TransportWorld()
    let peer = try world.exchange(Self.path, "{}", fields: "Origin: http://h\r\n")
    let (status, head, _) = peer.response()
    #expect(status == "200" && head.contains("Access-Control-Allow-Origin: http://h\r\n"))
  }

  @Test func tunnelsAreBounded() throws {
    let world = try TransportWorld { $0.transports.maximumTunnelsPerLoop = 1 }
    #expect(try world.exchange(Self.path, "{}").response().status == "200")
    #expect(try world.exchange(Self.path, "{}").response().status == "503")
    #expect(world.count(of: "tunnels_refused") == 1)
    #expect(try world.exchange(Self.path, "{}", loop: 1).response().status == "200")
  }

  private func resumable(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.exchange(Self.path, #"{"stream":true,"resume":true}"#)
    #expect(
      peer.chunks(peer.response().body) == [
        "{\"session\":\"0-c1\",\"protocol\":\"\",\"resume\":true}\n"
      ])
    #expect(
      try post(
        world, #"{"text":\#(Self.connect)},{"text":"{\"id\":2,\"subscribe\":{\"channel\":\"plain:a\"}}"}"#)
        == "204")
    #expect(peer.chunks().count == 2)
    return peer
  }

  private static func publication(_ data: String) -> String {
    #"{"text":"# + quoted(#"{"push":{"channel":"plain:a","pub":{"data":\#(data)}}}"#) + "}"
  }

  @Test(arguments: [0, 1])
  func pollsGoOnWhereAStreamHasBroken(loop: Int) throws {
    let world = try TransportWorld()
    let peer = try resumable(world)
    world.publish("1", to: "plain:a")
    #expect(peer.chunks() == [Self.publication("1") + "\n"])
    peer.socket.reset()
    world.runUntilIdle()
    world.publish("2", to: "plain:a")
    #expect(world.clientCount == 1 && world.count(of: "tunnel_streams_broken") == 1)
    let poller = try world.exchange("POST /tunnel", #"{"session":"0-c1","ack":2}"#, loop: loop)
    #expect(poller.response().body == answer(3, Self.publication("1"), Self.publication("2")))
    poller.request("POST /tunnel", #"{"session":"0-c1","ack":4}"#)
    world.publish("3", to: "plain:a")
    #expect(poller.response().body == answer(5, Self.publication("3")))
  }

  @Test func aPollTakesOverFromAStreamThatIsOnlyBrokenForItsClient() throws {
    let world = try TransportWorld()
    let peer = try resumable(world)
    world.publish("1", to: "plain:a")
    let poller = try world.exchange("POST /tunnel", #"{"session":"0-c1","ack":2}"#, loop: 1)
    #expect(poller.response().body == answer(3, Self.publication("1")))
    #expect(peer.socket.error != 0 || peer.socket.endReceived)
    // What was never given is no reason to end a stream.
    let other = try TransportWorld()
    let stream = try resumable(other)
    #expect(try other.exchange("POST /tunnel", #"{"session":"0-c1","ack":3}"#).response().status == "400")
    other.publish("1", to: "plain:a")
    #expect(stream.chunks() == [Self.publication("1") + "\n"])
  }

  @Test(arguments: [(14_999, 1), (15_000, 0)])
  func aClientOfABrokenStreamThatStaysAwayIsGone(milliseconds: UInt64, clients: Int) throws {
    let world = try TransportWorld()
    let peer = try resumable(world)
    peer.socket.reset()
    world.runUntilIdle()
    world.advance(milliseconds: milliseconds)
    #expect(world.clientCount == clients)
  }

  @Test func whatIsNotAcknowledgedHoldsTheRouteBack() throws {
    let world = try TransportWorld { $0.transports.maximumQueuedBytes = 1_000 }
    let peer = try resumable(world)
    for number in 1...20 {
      world.publish("\"\(number)" + String(repeating: "x", count: 300) + "\"", to: "plain:a")
    }
    let count = peer.chunks().count
    #expect(count < 6)
    let body = #"{"session":"0-c1","from":3,"seen":\#(2 + count)}"#
    #expect(try world.exchange("POST /tunnel", body).response().status == "204")
    #expect(!peer.chunks().isEmpty)
    #expect(
      try world.exchange("POST /tunnel", #"{"session":"0-c1","from":3,"seen":99}"#).response().status == "400"
    )
  }

  @Test func theEndOfTheServerIsTold() throws {
    let world = try TransportWorld()
    let peer = try stream(world)
    world.drain()
    world.advance(milliseconds: 100)
    #expect(peer.chunks().first == "{\"close\":3001,\"reason\":\"shutdown\"}\n")
  }

  @Test func whoReadsTooSlowlyHoldsTheRouteBack() throws {
    let world = try TransportWorld { $0.transports.maximumQueuedBytes = 1_000 }
    let peer = try stream(world)
    #expect(
      try post(
        world, #"{"text":\#(Self.connect)},{"text":"{\"id\":2,\"subscribe\":{\"channel\":\"plain:a\"}}"}"#)
        == "204")
    _ = peer.take()
    peer.socket.other?.writeWindow = 0
    for _ in 0..<20 { world.publish("\"" + String(repeating: "x", count: 500) + "\"", to: "plain:a") }
    #expect(world.serverCounters.values.first { $0.name == "slow_consumers" }?.value == 0)
    peer.socket.other?.writeWindow = nil
    world.runUntilIdle()
    #expect(peer.chunks().joined().split(separator: "\n").count == 20)
  }
}
