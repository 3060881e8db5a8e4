import Testing
import WebSocketCore
import WebSockets

@testable import Gateways

/// Clients that say once what they want to hear.
@Suite struct UnidirectionalTests {
  private func events(_ peer: RawPeer, _ text: String? = nil) -> [String] {
    peer.chunks(text).flatMap {
      $0.split(separator: "\n").map { String($0.hasPrefix("data: ") ? $0.dropFirst(6) : $0) }
    }
  }

  @Test func aQuerySaysWhatIsWanted() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_sse?channel=plain:a&channel=closed:b&channel=open%3ac")
    let told = events(peer, peer.response().body)
    #expect(told.first == #"{"connect":{"client":"c1","version":"1","ping":25,"pong":true}}"#)
    #expect(
      Set(told.dropFirst()) == [
        #"{"channel":"plain:a","subscribe":{}}"#,
        #"{"channel":"closed:b","unsubscribe":{"code":103,"reason":"permission denied"}}"#,
        #"{"channel":"open:c","subscribe":{"epoch":"z"}}"#,
      ])
    world.publish("[1]", to: "plain:a")
    #expect(events(peer) == [#"{"channel":"plain:a","pub":{"data":[1]}}"#])
  }

  @Test(arguments: ["/connection/uni_http_stream", "/connection/uni_sse"])
  func aBodySaysWhatIsWanted(path: String) throws {
    let world = try TransportWorld()
    let token = SessionWorld.token { $0.channels = ["plain:mine"] }
    let request = #"{"token":"\#(token)","subs":{"plain:a":{},"plain:mine":{}}}"#
    let peer = try world.exchange("POST \(path)", request)
    let told = events(peer, peer.response().body)
    #expect(told.count == 2 && told[0].contains(#""subs":{"plain:mine":{}}"#))
    #expect(told[1] == #"{"channel":"plain:a","subscribe":{}}"#)
    world.publish("1", to: "plain:mine")
    world.publish("2", to: "plain:a")
    #expect(
      events(peer) == [
        #"{"channel":"plain:mine","pub":{"data":1}}"#, #"{"channel":"plain:a","pub":{"data":2}}"#,
      ])
  }

  @Test func theRequestMayStandInTheQuery() throws {
    let world = try TransportWorld()
    let request = queryEncoded(#"{"subs":{"plain:a":{"recover":false}}}"#)
    let peer = try world.exchange("GET /connection/uni_http_stream?cf_connect=\(request)")
    #expect(peer.response().body.hasSuffix("{\"channel\":\"plain:a\",\"subscribe\":{}}\n\r\n"))
    let other = try world.exchange("GET /connection/uni_sse?cf_connect=\(request)")
    #expect(events(other, other.response().body).last == #"{"channel":"plain:a","subscribe":{}}"#)
  }

  @Test(arguments: ["Authorization: Bearer ", "authorization: bearer "])
  func aTokenMayStandInAField(name: String) throws {
    let world = try TransportWorld()
    let token = SessionWorld.token { $0.channels = ["plain:mine"] }
    let peer = try world.exchange("GET /connection/uni_sse", fields: "\(name)\(token)\r\n")
    #expect(events(peer, peer.response().body)[0].contains("plain:mine"))
  }

  @Test func pingsNeedNoAnswer() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_sse?channel=plain:a")
    _ = peer.take()
    for _ in 0..<3 {
      world.advance(seconds: 25)
      #expect(peer.chunks() == ["data: {}\n\n"])
    }
  }

  @Test func theEndIsAPush() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_sse?token=nonsense")
    #expect(
      peer.chunks(peer.response().body) == [
        "data: {\"disconnect\":{\"code\":3500,\"reason\":\"invalid token\"}}\n\n"
      ])
    world.advance(milliseconds: 100)
    #expect(peer.chunks() == [""])
    let expired = SessionWorld.token { $0.expiresAt = 1 }
    let late = try world.exchange("GET /connection/uni_sse?token=\(expired)")
    #expect(
      events(late, late.response().body) == [#"{"disconnect":{"code":3005,"reason":"connection expired"}}"#])
  }

  @Test func aClientThatGoesLeavesNothing() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_sse?channel=plain:a")
    peer.socket.reset()
    world.runUntilIdle()
    #expect(world.clientCount == 0)
  }

  @Test(arguments: ["nonsense", "[]", #"{"subs":{"a":1}}"#])
  func whatIsNoRequest(text: String) throws {
    let world = try TransportWorld()
    #expect(try world.exchange("POST /connection/uni_http_stream", text).response().status == "400")
    #expect(
      try world.exchange("GET /connection/uni_sse?cf_connect=\(queryEncoded(text))").response().status
        == "400")
  }

  // MARK: WebSocket

  private static let upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    + "Sec-WebSocket-Version: 13\r\n"

  private func send(_ peer: RawPeer, _ text: String) {
    peer.socket.send([0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8))
    peer.world.runUntilIdle()
  }

  /// Messages of up to 125 bytes.
  private func messages(_ peer: RawPeer) -> [String] {
    var rest = peer.socket.takeReceived()[...]
    var messages: [String] = []
    while rest.count >= 2 {
      let count = Int(rest[rest.startIndex + 1])
      messages.append(String(decoding: rest.dropFirst(2).prefix(count), as: UTF8.self))
      rest = rest.dropFirst(2 + count)
    }
    return messages
  }

  @Test func theFirstMessageSaysWhatIsWanted() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_websocket", fields: Self.upgrade)
    #expect(peer.response().status == "101")
    send(peer, #"{"subs":{"plain:a":{}}}"#)
    #expect(
      messages(peer) == [
        #"{"connect":{"client":"c1","version":"1","ping":25,"pong":true}}"#,
        #"{"channel":"plain:a","subscribe":{}}"#,
      ])
    send(peer, #"{"subs":{"plain:b":{}}}"#)
    world.publish("1", to: "plain:a")
    world.publish("1", to: "plain:b")
    #expect(messages(peer) == [#"{"channel":"plain:a","pub":{"data":1}}"#])
    send(peer, "nonsense")
    #expect(peer.socket.takeReceived().prefix(4) == [0x88, 13, 0x0D, 0xAD])
  }

  @Test func theURLMaySayIt() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_websocket?channel=plain:a", fields: Self.upgrade)
    _ = peer.take()
    world.publish("1", to: "plain:a")
    #expect(messages(peer) == [#"{"channel":"plain:a","pub":{"data":1}}"#])
  }

  @Test(arguments: ["", "?channel=plain:a"])
  func theBackendSeesTheFieldsOfTheRequest(query: String) throws {
    let backend = FakeBackend()
    backend.keptHeaders = ["cookie"]
    backend.onConnect = { _ in .success(SessionConnectAnswer(user: "ann")) }
    let world = try TransportWorld { $0.sessions.backend = backend }
    let peer = try world.exchange(
      "GET /connection/uni_websocket\(query)", fields: "Cookie: a=b\r\n" + Self.upgrade)
    #expect(peer.response().status == "101")
    if query.isEmpty { send(peer, "{}") }
    #expect(backend.callers.first?.headers.map(\.value) == ["a=b"])
  }

  @Test func whoSaysNothingIsGivenUp() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("GET /connection/uni_websocket", fields: Self.upgrade)
    _ = peer.take()
    world.advance(seconds: 10)
    #expect(peer.socket.takeReceived().prefix(4) == [0x88, 7, 0x0D, 0xAE])
  }
}
