import Bytes
import Realtime
import Testing

@testable import Gateways

/// What is particular to Protobuf; what sessions do is tested in JSON.
@Suite struct ProtobufSessionTests {
  private func reply(_ text: String) -> [UInt8] { ProtobufText.stream(text) }

  @Test func connecting() {
    let backend = FakeBackend()
    backend.keptHeaders = ["a"]
    backend.onConnect = { request in
      #expect(request.name == "py" && request.version == "3" && request.channels == ["x", "y"])
      #expect(request.data?.array == Array("d".utf8))
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch + 300
      answer.data = bytes("answer")
      answer.channels = ["open:x"]
      return .success(answer)
    }
    let client = SessionWorld { $0.backend = backend }.open(.protobuf)
    #expect(
      client.callInProtobuf("1:1 4{2:'d' 3{1:'x' 2{}} 3{1:'y'} 4:'py' 5:'3' 6{1:'A' 2:'b'} 7:1}")
        == [reply("1:1 5{1:'c1' 2:'1' 3:1 4:300 5:'answer' 6{1:'open:x' 2{3:1 6:'z' 10:1}} 7:25 8:1}")])
    #expect(backend.callers[0].encoding == .protobuf && backend.callers[0].headers.map(\.value) == ["b"])
  }

  private static let answers: [(String, String)] = [
    ("1:2 11{}", "1:2 12{}"),
    ("1:2 5{1:'plain:x'}", "1:2 6{}"),
    ("1:2 5{1:'open:x' 10:1}", "1:2 6{3:1 6:'z' 10:1}"),
    ("1:2 6{1:'open:x'}", "1:2 7{}"),
    ("1:2 7{1:'plain:x' 2:'data'}", "1:2 8{}"),
    ("1:2 8{1:'open:x'}", "1:2 9{}"),
    ("1:2 9{1:'open:x'}", "1:2 10{}"),
    ("1:2 10{1:'open:x' 7:10}", "1:2 11{2:'z'}"),
    ("1:2 13{2:'m'}", "1:2 2{1:108 2:'not available'}"),
    ("1:2 5{1:'nowhere'}", "1:2 2{1:102 2:'unknown channel'}"),
    ("1:2 15{1:'open:x' 2:'t'}", "1:2 2{1:103 2:'permission denied'}"),
    // The first method counts, and what is not known is passed over.
    ("99:5 1:2 11{1:5} 13{}", "1:2 12{}"),
    // A uint32 is its lowest 32 bits.
    ("1:4294967298 11{}", "1:2 12{}"),
  ]

  @Test(arguments: answers)
  func answered(command: String, answer: String) {
    #expect(SessionWorld().connectedInProtobuf().callInProtobuf(command) == [reply(answer)])
    #expect(SessionWorld(loops: 3).connectedInProtobuf().callInProtobuf(command) == [reply(answer)])
  }

  @Test func severalCommandsInAMessage() {
    let client = SessionWorld().connectedInProtobuf()
    client.begin(bytes: ProtobufText.stream("1:2 11{}", "", "1:3 11{}"))
    #expect(client.takeBytes() == [reply("1:2 12{}"), reply("1:3 12{}")])
  }

  @Test(
    arguments: [
      [], [5], [1, 8], [0x80], [2, 8, 2, 1], [4, 8, 2, 42, 5], [3, 8, 2, 0x5C],
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [5, 0x2A, 3, 10, 1, 0xFF],
    ] as [[UInt8]])
  func whatIsNotTheProtocol(message: [UInt8]) {
    let client = SessionWorld().connectedInProtobuf()
    client.begin(bytes: message)
    #expect(client.take().last == "close 3501 bad request")
  }

  @Test func pingsAndPongs() {
    let world = SessionWorld()
    let client = world.connectedInProtobuf()
    world.advance(seconds: 25)
    #expect(client.takeBytes() == [[0]])
    client.begin(bytes: [0])
    world.advance(seconds: 20)
    #expect(client.take() == [])
    world.advance(seconds: 13)
    #expect(client.take().last == "close 3012 no pong")
  }

  @Test func presenceStatsHistoryAndRecovery() {
    let world = SessionWorld()
    let client = world.connectedInProtobuf()
    world.publish("1", to: "open:x")
    #expect(
      client.callInProtobuf("1:2 5{1:'open:x' 3:1 6:'z' 14:1}")
        == [reply("1:2 6{3:1 6:'z' 7{4:'1' 6:1} 8:1 10:1 12:1}")])
    #expect(client.callInProtobuf("1:3 8{1:'open:x'}") == [reply("1:3 9{1{1:'c1' 2{2:'c1'}}}")])
    #expect(client.callInProtobuf("1:4 9{1:'open:x'}") == [reply("1:4 10{1:1 2:1}")])
    world.publish("2", to: "open:x")
    #expect(client.takeBytes() == [reply("4{2:'open:x' 4{4:'2' 6:2}}")])
    #expect(
      client.callInProtobuf("1:5 10{1:'open:x' 7:1 9:1}") == [reply("1:5 11{1{4:'2' 6:2} 2:'z' 3:2}")])
    #expect(
      client.callInProtobuf("1:6 10{1:'open:x' 7:18446744073709551615 8{1:1 2:'z'}}")
        == [reply("1:6 11{1{4:'2' 6:2} 2:'z' 3:2}")])
    #expect(
      client.callInProtobuf("1:7 10{1:'open:x' 8{1:1 2:'y'}}")
        == [reply("1:7 2{1:112 2:'unrecoverable position'}")])
  }

  @Test func tokens() {
    let world = SessionWorld()
    let token = SessionWorld.token { $0.expiresAt = SessionWorld.epoch + 60 }
    let client = world.connectedInProtobuf("1:'\(token)'")
    #expect(
      client.callInProtobuf("1:2 14{1:'\(token)'}") == [reply("1:2 14{1:'c1' 2:'1' 3:1 4:60}")])
    let subscription = SessionWorld.token {
      $0.channel = "closed:x"
      $0.expiresAt = SessionWorld.epoch + 60
    }
    #expect(
      client.callInProtobuf("1:3 5{1:'closed:x' 2:'\(subscription)'}") == [reply("1:3 6{1:1 2:60}")])
    #expect(
      client.callInProtobuf("1:4 15{1:'closed:x' 2:'\(subscription)'}") == [reply("1:4 15{1:1 2:60}")])
  }

  // MARK: Pushes

  @Test func whatTheServerPushes() {
    let world = SessionWorld()
    let client = world.connectedInProtobuf("1:'\(SessionWorld.token())'")
    let ann = ClientSelection(user: "ann")
    world.publish("1", to: "open:x")
    var options = SubscribeOptions()
    options.wantsRecovery = true
    options.recoverSince = StreamPosition(epoch: "z", offset: 0)
    world.run { world.hub.subscribe(ann, to: "open:x", options: options, data: bytes("d")) { _ in } }
    #expect(
      client.takeBytes() == [
        reply("4{2:'open:x' 9{1:1 4:'z' 6:1 7:'d'}}"), reply("4{2:'open:x' 4{4:'1' 6:1}}"),
      ])
    world.run { world.hub.unsubscribe(ann, from: "open:x", code: 2500, reason: "r") }
    #expect(client.takeBytes() == [reply("4{2:'open:x' 7{2:2500 3:'r'}}")])
    world.run { world.hub.send(bytes("m"), to: ann) }
    #expect(client.takeBytes() == [reply("4{8{1:'m'}}")])
    world.run { world.hub.refresh(ann, isExpired: false, expiresAt: SessionWorld.epoch + 9) { _ in } }
    #expect(client.takeBytes() == [reply("4{12{1:1 2:9}}")])
  }

  @Test func joinsAndLeaves() {
    let world = SessionWorld()
    let (ann, bob) = (world.connectedInProtobuf(), world.connectedInProtobuf())
    ann.send("1:2 5{1:'open:x' 11:1}")
    _ = ann.takeBytes()
    bob.send("1:2 5{1:'open:x'}")
    bob.send("1:3 6{1:'open:x'}")
    #expect(
      ann.takeBytes() == [reply("4{2:'open:x' 5{1{2:'c2'}}}"), reply("4{2:'open:x' 6{1{2:'c2'}}}")])
  }

  /// Clients of both kinds in one channel: what JSON is reaches all as it is; other bytes reach JSON clients as Base64.
  @Test func bothEncodingsInAChannel() {
    let world = SessionWorld()
    let (json, protobuf) = (world.connected(), world.connectedInProtobuf())
    json.send(#"{"id":2,"subscribe":{"channel":"open:x"}}"#)
    protobuf.send("1:2 5{1:'open:x'}")
    _ = (json.take(), protobuf.takeBytes())
    json.send(#"{"id":3,"publish":{"channel":"open:x","data":{"a": 1}}}"#)
    #expect(protobuf.takeBytes() == [reply("4{2:'open:x' 4{4:'{\"a\":1}' 5{2:'c1'} 6:1}}")])
    _ = json.take()
    let info = #""info":{"user":"","client":"c2"}"#
    for (offset, sent, shown) in [
      (2, "[1,\n2]", "[1,2]"), (3, "no JSON", "\"bm8gSlNPTg==\""), (4, "[", "\"Ww==\""),
    ] {
      protobuf.send("1:3 7{1:'open:x' 2:'\(sent)'}")
      #expect(
        json.take()
          == ["{\"push\":{\"channel\":\"open:x\",\"pub\":{\"offset\":\(offset),\"data\":\(shown),\(info)}}}"])
      #expect(
        protobuf.takeBytes().contains(reply("4{2:'open:x' 4{4:'\(sent)' 5{2:'c2'} 6:\(offset)}}")))
    }
    #expect(
      json.call(#"{"id":4,"history":{"channel":"open:x","limit":1,"reverse":true}}"#)
        == [
          "{\"id\":4,\"history\":{\"publications\":[{\"offset\":4,\"data\":\"Ww==\",\(info)}],\"offset\":4,\"epoch\":\"z\"}}"
        ])
  }

  @Test func tagsAndInformation() {
    let info = ClientInfo(client: "c", user: "u", connectionInfo: bytes("1"), channelInfo: bytes("[2]"))
    let full = Publication(
      data: bytes("d"), offset: 3, info: info, tags: [("k", "v"), ("l", "")], timestampMilliseconds: 9)
    let frame = CentrifugoProtobufEncoding().publication(full, channel: "x").array
    let payload = reply("4{2:'x' 4{4:'d' 5{1:'u' 2:'c' 3:'1' 4:'[2]'} 6:3 7{1:'k' 2:'v'} 7{1:'l'}}}")
    // A server's unmasked binary frame (RFC 6455 §5.2).
    #expect(frame == [0x82, UInt8(payload.count)] + payload)
  }
}
