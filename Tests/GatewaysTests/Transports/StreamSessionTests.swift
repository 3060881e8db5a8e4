import Realtime
import Testing
import WebSockets

@testable import Gateways

/// Sessions over server-sent events and HTTP streaming, with posts for commands.
@Suite struct StreamSessionTests {
  private static let connect = #"{"id":1,"connect":{}}"#

  private func post(
    _ world: TransportWorld, _ commands: String, session: String = "0-c1", node: String = "n", loop: Int = 0
  ) throws -> String {
    let body = #"{"session":"\#(session)","node":"\#(node)","data":\#(quoted(commands))}"#
    return try world.exchange("POST /emulation", body, loop: loop).response().status
  }

  @Test func serverSentEvents() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/sse?cf_connect=\(queryEncoded(Self.connect))")
    let (status, head, body) = peer.response()
    #expect(status == "200")
    for field in [
      "Content-Type: text/event-stream; charset=utf-8", "Cache-Control: no-store, no-transform",
      "X-Accel-Buffering: no", "Vary: Origin",
    ] {
      #expect(head.contains("\r\n\(field)\r\n"), "\(field)")
    }
    let reply =
      #"{"id":1,"connect":{"client":"c2","version":"1","ping":25,"pong":true,"session":"0-c1","node":"n"}}"#
    #expect(peer.chunks(body) == ["data: \(reply)\n\n"])
    #expect(try post(world, #"{"id":2,"subscribe":{"channel":"plain:a"}}"#) == "204")
    #expect(peer.chunks() == ["data: {\"id\":2,\"subscribe\":{}}\n\n"])
    world.publish("[1]", to: "plain:a")
    #expect(peer.chunks() == ["data: {\"push\":{\"channel\":\"plain:a\",\"pub\":{\"data\":[1]}}}\n\n"])
  }

  @Test(arguments: ["/connection/http_stream", "/connection/sse"])
  func aBodyMayHoldTheConnectCommand(path: String) throws {
    let world = try TransportWorld()
    let peer = try world.exchange("POST \(path)", Self.connect + "\n" + #"{"id":2,"ping":{}}"#)
    let (_, head, body) = peer.response()
    let isLines = path.hasSuffix("stream")
    #expect(head.contains("Content-Type: application/octet-stream\r\n") == isLines)
    let chunks = peer.chunks(body)
    #expect(
      chunks.count == 2
        && chunks[1] == (isLines ? "" : "data: ") + "{\"id\":2,\"ping\":{}}\n" + (isLines ? "" : "\n"))
  }

  private func open(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.exchange("POST /connection/http_stream", Self.connect)
    #expect(peer.response().body.contains(#""session":"0-c1""#))
    return peer
  }

  @Test func postsThatOvertakeEachOtherAndComeToAnotherLoop() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    let publish = { (id: Int) in #"{"id":\#(id),"publish":{"channel":"plain:a","data":\#(id)}}"# }
    #expect(try post(world, publish(4), loop: 1) == "204")
    #expect(try post(world, publish(3)) == "204")
    #expect(peer.chunks() == [])
    #expect(try post(world, #"{"id":2,"subscribe":{"channel":"plain:a"}}"#, loop: 1) == "204")
    let chunks = peer.chunks().joined().split(separator: "\n").map(String.init)
    #expect(chunks.first == #"{"id":2,"subscribe":{}}"#)
    let pushes = chunks.filter { $0.contains("push") }
    #expect(pushes.count == 2 && pushes[0].contains("\"data\":3") && pushes[1].contains("\"data\":4"))
    // Sent again by a browser or a proxy: performed once.
    #expect(try post(world, publish(4)) == "204")
    #expect(peer.chunks() == [])
    #expect(world.count(of: "transport_commands_repeated") == 1)
  }

  @Test func aLostCommandIsWaitedForOneSecond() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(try post(world, #"{"id":3,"ping":{}}"#) == "204")
    world.advance(milliseconds: 999)
    #expect(peer.chunks() == [])
    world.advance(milliseconds: 1)
    #expect(peer.chunks() == ["{\"id\":3,\"ping\":{}}\n"])
    #expect(world.count(of: "transport_command_gaps") == 1)
  }

  @Test func onlyTheSessionsOwnNameOpensIt() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    for session in ["0-c2", "1-c1", "9-c1", "-1-c1", "c1", "", "0-", "0-c1x"] {
      #expect(try post(world, "{}", session: session) == "404", "\(session)")
    }
    #expect(try post(world, "{}", node: "m") == "404")
    #expect(world.count(of: "transport_sessions_unknown") == 9)
    #expect(peer.chunks() == [])
    #expect(try world.exchange("POST /emulation", "nonsense").response().status == "400")
    #expect(world.count(of: "transport_requests_refused") == 1)
  }

  @Test func pingsAreAnsweredByPosts() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    world.advance(seconds: 25)
    #expect(peer.chunks() == ["{}\n"])
    #expect(try post(world, "{}") == "204")
    world.advance(seconds: 25)
    #expect(peer.chunks() == ["{}\n"])
    world.advance(seconds: 7)
    #expect(peer.chunks() == [])
    world.advance(seconds: 1)
    #expect(peer.chunks() == ["{\"push\":{\"disconnect\":{\"code\":3012,\"reason\":\"no pong\"}}}\n"])
    #expect(try post(world, "{}") == "404")
  }

  @Test func theEndIsAPush() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("POST /connection/http_stream", "nonsense")
    let bad = #"{"push":{"disconnect":{"code":3501,"reason":"bad request"}}}"# + "\n"
    #expect(peer.chunks(peer.response().body) == [bad])
    // The end comes later, so that nobody takes it for the news.
    world.advance(milliseconds: 99)
    #expect(peer.chunks() == [])
    world.advance(milliseconds: 1)
    #expect(peer.chunks() == [""])
    #expect(world.sessions.counters["bad_requests"] == 1)
    // The connection is as good as before.
    peer.request("POST /connection/http_stream", Self.connect)
    #expect(peer.response().status == "200")
  }

  /// As in Centrifugo: the transport has closed, and that is all.
  @Test func anEndWithoutAReasonIsNoPush() throws {
    let world = try TransportWorld()
    let connect = #"{"id":1,"connect":{"token":"\#(SessionWorld.token())"}}"#
    let peer = try world.exchange("POST /connection/http_stream", connect)
    _ = peer.take()
    let ann = ClientSelection(user: "ann")
    world.sessions.run { world.sessions.hub.disconnect(ann, code: 3_000, reason: "test") }
    #expect(peer.chunks() == [""])
    #expect(world.clientCount == 0)
  }

  @Test func aClientThatGoesBetweenTheLastMessageAndTheEnd() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("POST /connection/http_stream", "nonsense")
    peer.socket.end()
    world.advance(milliseconds: 200)
    #expect(peer.socket.endReceived)
    #expect(world.sessions.counters["sessions_closed"] == 1)
  }

  /// The server goes down meanwhile: the stream ends at once.
  @Test func theServerGoesBetweenTheLastMessageAndTheEnd() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("POST /connection/http_stream", "nonsense")
    _ = peer.take()
    world.drain()
    #expect(peer.chunks() == [""])
    #expect(peer.socket.endReceived)
    world.advance(milliseconds: 100)
  }

  @Test func aClientThatGoesLeavesNothing() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(world.clientCount == 1)
    peer.socket.end()
    world.runUntilIdle()
    #expect(world.clientCount == 0)
    #expect(try post(world, "{}") == "404")
    #expect(world.sessions.counters["sessions_closed"] == 1)
  }

  @Test func theEndOfTheServerIsToldAndClientsComeBack() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    world.drain()
    #expect(peer.chunks() == ["{\"push\":{\"disconnect\":{\"code\":3001,\"reason\":\"shutdown\"}}}\n", ""])
    #expect(peer.socket.endReceived)
    #expect(world.clientCount == 0)
  }

  @Test func whoReadsTooSlowlyIsGivenUp() throws {
    let world = try TransportWorld { $0.transports.maximumQueuedBytes = 1_000 }
    let peer = try open(world)
    #expect(try post(world, #"{"id":2,"subscribe":{"channel":"plain:a"}}"#) == "204")
    _ = peer.take()
    peer.socket.other?.writeWindow = 0
    world.publish("\"" + String(repeating: "x", count: 950) + "\"", to: "plain:a")
    world.publish("1", to: "plain:a")
    #expect(world.count(of: "transport_slow_clients") == 1)
    #expect(world.clientCount == 0)
    peer.socket.other?.writeWindow = nil
    world.runUntilIdle()
    world.advance(milliseconds: 100)
    let chunks = peer.chunks()
    #expect(chunks.count == 3 && chunks[1].contains(#""disconnect":{"code":3008,"reason":"slow"}"#))
  }

  @Test(arguments: [(65_536, "200"), (65_537, "413")])
  func requestsAreBounded(count: Int, status: String) throws {
    let world = try TransportWorld()
    let body = Self.connect + String(repeating: " ", count: count - Self.connect.utf8.count)
    #expect(try world.exchange("POST /connection/http_stream", body).response().status == status)
  }

  @Test func methodsAndWhatIsMissing() throws {
    let world = try TransportWorld()
    for (line, status) in [
      ("GET /connection/http_stream", "405"), ("GET /emulation", "405"), ("GET /connection/poll", "405"),
      ("PUT /connection/sse", "405"), ("GET /connection/sse", "400"),
      ("POST /connection/sse", "400"), ("POST /connection/http_stream", "400"),
      ("GET /connection/sse/", "404"),
      ("OPTIONS /emulation", "204"),
    ] {
      #expect(try world.exchange(line).response().status == status, "\(line)")
    }
    #expect(try world.exchange("GET /emulation").response().head.contains("\r\nAllow: POST\r\n"))
  }

  @Test func foreignPagesAreRefused() throws {
    let world = try TransportWorld()
    let origin = "Origin: https://evil.example\r\n"
    for line in [
      "GET /connection/sse?cf_connect=x", "POST /emulation", "POST /connection/poll",
      "GET /connection/uni_sse",
    ] {
      #expect(try world.exchange(line, fields: origin).response().status == "403", "\(line)")
    }
  }
}
