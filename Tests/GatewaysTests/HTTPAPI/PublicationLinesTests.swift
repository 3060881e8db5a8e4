import Testing

@testable import Gateways
@testable import Realtime
@testable import WebSockets

/// Publications of a stream, line by line as they arrive.
@Suite struct PublicationLinesTests {
  private static let line = "{\"channel\":\"plain:a\",\"data\":1}\n"

  private func begin(_ query: String, _ world: TransportWorld) throws -> RawPeer {
    let peer = try world.connect()
    peer.socket.send(
      "POST /api/stream\(query) HTTP/1.1\r\nHost: h\r\nX-API-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n"
        .utf8)
    world.runUntilIdle()
    return peer
  }

  private func send(_ text: String, _ peer: RawPeer) {
    peer.socket.send(Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8))
    peer.world.runUntilIdle()
  }

  private func end(_ peer: RawPeer) -> (status: String, head: String, body: String) {
    peer.socket.send("0\r\n\r\n".utf8)
    peer.world.runUntilIdle()
    return peer.response()
  }

  @Test("Lines are published when they are whole, wherever they are cut")
  func pieces() throws {
    let world = try TransportWorld()
    let client = world.sessions.connected()
    _ = client.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#)
    let text = "{\"channel\":\"plain:a\",\"data\":1}\r\n\n{\"channel\":\"plain:a\",\"data\":\"é\"}"
    for size in [1, 2, 7, 31, 100] {
      let peer = try begin("", world)
      var rest = Substring(text)
      var heard: [String] = []
      while !rest.isEmpty {
        send(String(rest.prefix(size)), peer)
        heard += client.take()
        rest = rest.dropFirst(size)
      }
      #expect(heard.count == 1)
      let answer = end(peer)
      #expect(answer.status == "200" && answer.body == "{\"result\":{}}\n{\"result\":{}}\n")
      #expect(client.take().last?.contains(#""data":"é""#) == true)
    }
  }

  @Test("So many are under way at once; then the client is held back")
  func backpressure() throws {
    let world = try TransportWorld()
    // The channel's owner is the other loop, which does not turn for a while.
    let owned = (0...).lazy.map { "plain:\($0)" }.first { world.sessions.hub.owner(of: $0) == 1 } ?? ""
    let peer = try begin("?summary=1", world)
    let text = String(repeating: "{\"channel\":\"\(owned)\",\"data\":1}\n", count: 1_000)
    peer.socket.send(Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8))
    for _ in 0..<10 { world.sessions.loops[0].turn() }
    let connection = try #require(world.registries[0].all.first as? HTTPServerConnection)
    #expect(connection.state == .receiving && connection.incoming?.isHeld == true)
    world.runUntilIdle()
    #expect(connection.incoming?.isHeld == false)
    #expect(end(peer).body == #"{"result":{"published":1000,"failed":0}}"#)
  }

  @Test("A summary of any length, with the first hundred errors", arguments: [99, 100, 101])
  func summary(_ failures: Int) throws {
    let world = try TransportWorld()
    let peer = try begin("?summary=1", world)
    for _ in 0..<3 { send(String(repeating: Self.line, count: 5_000), peer) }
    send(String(repeating: "{\"channel\":\"no:a\",\"data\":1}\n", count: failures), peer)
    send("{\n", peer)
    let body = end(peer).body
    let expected = min(failures, 100)
    #expect(
      body.hasPrefix(
        "{\"result\":{\"published\":15000,\"failed\":\(failures + 1),\"first_error\":{\"line\":15001,"))
    #expect(body.components(of: "\"code\":102") == expected + 1)
    #expect(body.components(of: "\"code\":107") == (failures == 99 ? 1 : 0))
  }

  @Test(
    "Ten thousand answers; the line behind them, and the rest, are not read",
    arguments: [9_999, 10_000, 10_001])
  func answers(_ count: Int) throws {
    let world = try TransportWorld()
    let peer = try begin("", world)
    send(String(repeating: Self.line, count: count), peer)
    let answer = count <= 10_000 ? end(peer) : peer.response()
    let lines = answer.body.split(separator: "\n")
    #expect(answer.status == (count <= 10_000 ? "200" : "413") && lines.count == count)
    #expect(lines.last?.hasPrefix(count <= 10_000 ? "{\"result\":{}}" : "{\"error\":{\"code\":106,") == true)
    #expect(answer.head.contains("Connection: close") == (count > 10_000))
  }

  @Test("A line that is too long is passed over, and the others are not", arguments: [0, 1])
  func longLines(_ excess: Int) throws {
    let world = try TransportWorld()
    let peer = try begin("", world)
    let frame = "{\"channel\":\"plain:a\",\"data\":\"\"}"
    let padding = String(repeating: "x", count: APILimits.maximumStreamLineBytes + excess - frame.utf8.count)
    let long = frame.replacing("\"\"", with: "\"\(padding)\"")
    send(Self.line, peer)
    // Whole in one piece, and in two.
    send(long + "\n", peer)
    send(String(long.dropLast(1)), peer)
    send(String(long.suffix(1)) + "\n" + Self.line, peer)
    // Beyond the end of the stream.
    send(long, peer)
    let lines = end(peer).body.split(separator: "\n").map(String.init)
    // At the limit it is a publication that is larger than a channel takes.
    let error =
      excess == 0
      ? #"{"error":{"code":106,"message":"limit exceeded"}}"#
      : #"{"error":{"code":107,"message":"the line has more than 1048576 bytes"}}"#
    #expect(lines == ["{\"result\":{}}", error, error, "{\"result\":{}}", error])
  }

  @Test("A client that goes leaves what it has published, and nothing else")
  func gone() throws {
    let world = try TransportWorld()
    let peer = try begin("?summary=1", world)
    send(Self.line + "{\"channel\"", peer)
    peer.socket.end()
    world.advance(seconds: 5)
    #expect(world.registries.allSatisfy { $0.count == 0 })
    #expect(world.sessions.hub.shards.reduce(0) { $0 + $1.counters.published } == 1)
  }

  @Test func withoutAKey() throws {
    let world = try TransportWorld()
    let answer = try world.exchange("POST /api/stream", Self.line).response()
    #expect(answer.status == "401" && answer.head.contains("Connection: close"))
    #expect(try world.exchange("GET /api/stream", fields: "X-API-Key: k\r\n").response().status == "405")
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
