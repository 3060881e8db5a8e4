import Bytes
import EventLoops
import Testing

@testable import Gateways

/// Sessions over HTTP streaming in Protobuf, as clients speak it that post bytes.
@Suite struct ProtobufStreamTests {
  private static let connect: [UInt8] = [0x04, 0x08, 1, 0x22, 0]

  /// A command: its identifier, and a request of a field number.
  private func command(_ id: UInt32, _ request: Int, _ fields: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var protobuf = ProtobufWriter()
    protobuf.delimited { protobuf in
      protobuf.varint(1, id)
      protobuf.message(request, fields)
    }
    return protobuf.bytes
  }

  private func subscribe(_ id: UInt32, _ channel: String) -> [UInt8] {
    command(id, 5) { $0.string(1, channel) }
  }

  private func post(
    _ world: TransportWorld, _ commands: [UInt8], session: String = "0-c1", node: String = "n", loop: Int = 0
  ) throws -> String {
    var body = ProtobufWriter()
    body.string(1, node)
    body.string(2, session)
    body.bytes(3, SharedBytes.make(copying: commands))
    let peer = try world.connect(loop: loop)
    peer.request("POST /emulation", bytes: body.bytes)
    return peer.response().status
  }

  /// What has come of a body in chunks.
  private func bytes(_ peer: RawPeer) -> [UInt8] {
    var rest = peer.socket.takeReceived()[...]
    var bytes: [UInt8] = []
    while let end = rest.firstIndex(of: 0x0D),
      let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16)
    {
      bytes += rest[(end + 2)...].prefix(count)
      rest = rest[(end + 2)...].dropFirst(count + 2)
    }
    return bytes
  }

  private func open(_ world: TransportWorld) throws -> RawPeer {
    let peer = try world.connect()
    peer.request("POST /connection/http_stream", bytes: Self.connect)
    _ = peer.take()
    return peer
  }

  @Test(arguments: ["application/octet-stream", "Application/Octet-Stream", "application/octet-stream; a=b"])
  func theConnectReplyBehindItsLength(type: String) throws {
    let world = try TransportWorld()
    let peer = try world.connect()
    peer.request("POST /connection/http_stream", bytes: Self.connect, type: type)
    let (status, head, body) = peer.response()
    #expect(status == "200" && head.contains("\r\nContent-Type: application/octet-stream\r\n"))
    // id 1, connect: client, version, ping 25, pong, session, node.
    let reply = "\u{18}\u{08}\u{01}*\u{14}\n\u{02}c2\u{12}\u{01}18\u{19}@\u{01}J\u{04}0-c1R\u{01}n"
    #expect(peer.chunks(body) == [reply])
  }

  @Test func commandsPushesAndPings() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(try post(world, subscribe(2, "plain:a"), loop: 1) == "204")
    #expect(bytes(peer) == [0x04, 0x08, 2, 0x32, 0])
    world.publish("[1]", to: "plain:a")
    // push: channel, pub: data.
    #expect(bytes(peer) == [18, 0x22, 16, 0x12, 7] + "plain:a".utf8 + [0x22, 5, 0x22, 3] + "[1]".utf8)
    world.advance(seconds: 25)
    #expect(bytes(peer) == [0])
    #expect(try post(world, [0]) == "204")
    world.advance(seconds: 25)
    #expect(bytes(peer) == [0])
    world.advance(seconds: 8)
    // push: disconnect: 3012, no pong.
    #expect(bytes(peer) == [16, 0x22, 14, 0x5A, 12, 0x08, 0xC4, 0x17, 0x12, 7] + "no pong".utf8)
    #expect(try post(world, [0]) == "404")
  }

  @Test func postsThatOvertakeEachOther() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(try post(world, subscribe(4, "plain:c") + subscribe(5, "plain:c")) == "204")
    #expect(try post(world, subscribe(3, "plain:b")) == "204")
    #expect(bytes(peer) == [])
    #expect(try post(world, subscribe(2, "plain:a")) == "204")
    let replies = [2, 3, 4].flatMap { [0x04, 0x08, $0, 0x32, 0] as [UInt8] }
    let got = bytes(peer)
    #expect(got.starts(with: replies))
    // 105: already subscribed.
    #expect(got.dropFirst(replies.count).starts(with: [0x1A, 0x08, 5, 0x12, 0x16, 0x08, 105]))
    #expect(try post(world, subscribe(3, "plain:b")) == "204")
    #expect(bytes(peer) == [])
    #expect(world.count(of: "transport_commands_repeated") == 1)
  }

  @Test func aLostCommandIsWaitedForOneSecond() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(try post(world, subscribe(3, "plain:a")) == "204")
    world.advance(milliseconds: 999)
    #expect(bytes(peer) == [])
    world.advance(milliseconds: 1)
    #expect(bytes(peer) == [0x04, 0x08, 3, 0x32, 0])
  }

  @Test(arguments: [[0x05, 0x08, 2, 0x32, 0], [0x80], [0x02, 0x0B, 0]] as [[UInt8]])
  func whatIsNoCommandEndsTheSession(commands: [UInt8]) throws {
    let world = try TransportWorld()
    let peer = try open(world)
    #expect(try post(world, commands) == "204")
    // push: disconnect: 3501, bad request.
    #expect(bytes(peer) == [20, 0x22, 18, 0x5A, 16, 0x08, 0xAD, 0x1B, 0x12, 11] + "bad request".utf8)
    #expect(world.clientCount == 0)
  }

  @Test func aPostInTheOtherEncodingIsRefused() throws {
    let world = try TransportWorld()
    let peer = try open(world)
    let json = #"{"session":"0-c1","node":"n","data":"{}"}"#
    #expect(try world.exchange("POST /emulation", json).response().status == "400")
    #expect(bytes(peer) == [])
    _ = try world.exchange("POST /connection/http_stream", #"{"id":1,"connect":{}}"#)
    #expect(try post(world, [0], session: "0-c3") == "400")
    #expect(try post(world, [0], node: "m") == "404")
    let nonsense = try world.connect()
    nonsense.request("POST /emulation", bytes: Array("nonsense".utf8))
    #expect(nonsense.response().status == "400")
    #expect(world.count(of: "transport_requests_refused") == 3)
  }

  /// An event is text.
  @Test func eventsAreJSONWhateverTheBodySays() throws {
    let world = try TransportWorld()
    let peer = try world.connect()
    peer.request("POST /connection/sse", bytes: Array(#"{"id":1,"connect":{}}"#.utf8))
    #expect(peer.response().body.contains(#"data: {"id":1,"connect":{"#))
  }

  @Test(arguments: [(65_536, "200"), (65_537, "413")])
  func requestsAreBounded(count: Int, status: String) throws {
    let world = try TransportWorld()
    // Each of three lengths takes three bytes.
    let data = [UInt8](repeating: 0x78, count: count - 13)
    let body = command(1, 4) { $0.bytes(2, SharedBytes.make(copying: data)) }
    try #require(body.count == count)
    let peer = try world.connect()
    peer.request("POST /connection/http_stream", bytes: body)
    #expect(peer.response().status == status)
  }
}
