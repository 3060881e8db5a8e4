import EventLoops
import HTTPCore
import Realtime
import Testing
import WebSocketCore
import WebSockets

@testable import Gateways

/// All routes on a real server.
@Suite struct RealtimeServerTests {
  private static let upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    + "Sec-WebSocket-Version: 13\r\n"

  /// Runs `body` against a server with one page; then the server is shut down.
  private func serve(
    _ change: (inout RealtimeServerOptions) -> Void = { _ in },
    encodings: [any WireEncoding] = [CentrifugoJSONEncoding()],
    _ body: (UInt16, CentrifugoCounters) throws -> Void
  ) async throws {
    try await serve(change, encodings: encodings) { port, counters, _, _ in try body(port, counters) }
  }

  /// The same for what changes the options meanwhile.
  private func serve(
    _ change: (inout RealtimeServerOptions) -> Void = { _ in },
    encodings: [any WireEncoding] = [CentrifugoJSONEncoding()],
    _ body: (UInt16, CentrifugoCounters, RealtimeServer, RealtimeServerOptions) throws -> Void
  ) async throws {
    let group = EventLoopGroup(loops: 2)
    var everyone = NamespaceOptions()
    everyone.subscribe = .everyone
    everyone.publish = .everyone
    let hub = Hub(
      loops: group.loops, namespaces: Namespaces(default: everyone), encodings: encodings,
      wallClock: { 0 }, randomBits: { 35 })
    let clock = Clock()
    var sessions = CentrifugoOptions(now: { clock.seconds }, makeClientID: { clock.nextIdentifier() })
    sessions.allowsAnonymous = true
    var options = RealtimeServerOptions(sessions: sessions)
    options.files = StaticFiles(["/index.html": Array("home".utf8), "/api/openapi.json": Array("{}".utf8)])
    change(&options)
    let counters = CentrifugoCounters()
    let api = HTTPAPI(
      hub: hub, keys: ["secret"], node: NodeIdentity(uid: "", name: "", version: ""), uptimeSeconds: { 0 },
      moreMetrics: { counters.values })
    let service = RealtimeServer(hub: hub, api: api, options: options, counters: counters)
    let server = try await HTTPServer.start(group: group, host: "127.0.0.1", port: 0, service: service)
    do {
      try body(server.port, counters, service, options)
    } catch {
      Issue.record(error)
    }
    await server.shutdown(graceMilliseconds: 0)
    group.shutdown()
  }

  private func exchange(_ head: String, _ body: String = "", port: UInt16) throws -> String {
    let client = try LoopbackClient(port: port)
    try client.send("\(head) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n\(body)")
    return client.receiveText()
  }

  @Test func routes() async throws {
    try await serve { port, _ in
      let home = try exchange("GET /", port: port)
      #expect(home.hasPrefix("HTTP/1.1 200 ") && home.hasSuffix("\r\n\r\nhome"))
      let head = try exchange("HEAD /", port: port)
      #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n"))
      #expect(head.contains("Content-Length: 4\r\n"))
      #expect(try exchange("GET /health", port: port).hasSuffix("\r\n\r\n{}"))
      let document = try exchange("GET /api/openapi.json", port: port)
      #expect(document.hasPrefix("HTTP/1.1 200 ") && document.hasSuffix("\r\n\r\n{}"))
      #expect(document.contains("Content-Type: application/json") && document.contains("ETag: \""))
      for (line, status) in [
        ("POST /api/openapi.json", "405"),
        ("POST /", "405"), ("GET /nothing", "404"), ("GET /../index", "404"), ("POST /api/info", "401"),
        ("GET /connection/websocket", "426"), ("GET /connection/websocket/", "404"), ("GET /api", "404"),
      ] {
        #expect(try exchange(line, port: port).hasPrefix("HTTP/1.1 \(status) "), "\(line)")
      }
    }
  }

  private func status(_ origin: String, port: UInt16) throws -> String {
    let client = try LoopbackClient(port: port)
    try client.send(
      "GET /connection/websocket HTTP/1.1\r\nHost: chat.example\r\n\(origin)\(Self.upgrade)\r\n")
    return String(client.receiveText(until: "\n").dropFirst(9).prefix(3))
  }

  @Test(arguments: [
    (OriginPolicy.sameOrigin, "", "101"), (.sameOrigin, "Origin: http://chat.example\r\n", "101"),
    (.sameOrigin, "Origin: https://evil.example\r\n", "403"), (.sameOrigin, "Origin: null\r\n", "403"),
    (.list(["https://a.example"]), "Origin: https://a.example\r\n", "101"),
    (.list(["https://a.example"]), "Origin: http://chat.example\r\n", "403"),
    (.list(["https://a.example"]), "", "101"), (.any, "Origin: https://evil.example\r\n", "101"),
  ])
  func origins(policy: OriginPolicy, origin: String, expected: String) async throws {
    try await serve({ $0.origins = policy }) { port, _ in
      let answer = try status(origin, port: port)
      #expect(answer == expected)
    }
  }

  private func connect(port: UInt16) throws -> LoopbackClient {
    let client = try LoopbackClient(port: port)
    try client.send("GET /connection/websocket HTTP/1.1\r\nHost: h\r\n\(Self.upgrade)\r\n")
    #expect(client.receiveText(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
    try client.send(frame: #"{"id":1,"connect":{}}"#)
    #expect(client.receiveText(until: "}}").contains(#"{"id":1,"connect":{"client":"c"#))
    return client
  }

  @Test("New options are for who comes from now on; who is there goes on")
  func optionsChange() async throws {
    let log = TestLog()
    try await serve({ $0.sessions.log = log.log }) { port, counters, service, options in
      let old = try connect(port: port)
      let origin = "Origin: https://a.example\r\n"
      #expect(try status(origin, port: port) == "403")
      #expect(
        log.take().last
          == "warning a web page of another origin was refused origin=https://a.example host=chat.example"
          + " path=/connection/websocket address=127.0.0.1")
      var new = options
      new.origins = .list(["https://a.example"])
      new.sessions.allowsAnonymous = false
      new.socket.limits.maximumMessageBytes = 10
      service.use(new)
      #expect(try status(origin, port: port) == "101")
      #expect(try exchange("GET /connection/uni_sse", port: port).contains("3500"))
      let late = try LoopbackClient(port: port)
      try late.send("GET /connection/websocket HTTP/1.1\r\nHost: h\r\n\(Self.upgrade)\r\n")
      _ = late.receiveText(until: "\r\n\r\n")
      try late.send(frame: #"{"id":1,"connect":{}}"#)
      #expect(late.receiveFrame().starts(with: [0x88]))
      try old.send(frame: #"{"id":2,"subscribe":{"channel":"x"}}"#)
      #expect(old.receiveText(until: "}}").hasSuffix(#"{"id":2,"subscribe":{}}"#))
    }
  }

  @Test func aSession() async throws {
    try await serve { port, counters in
      let client = try connect(port: port)
      try client.send(frame: #"{"id":2,"subscribe":{"channel":"x"}}"#)
      #expect(client.receiveText(until: "}}").hasSuffix(#"{"id":2,"subscribe":{}}"#))
      let data = #"{"channel":"x","data":[1]}"#
      let api = try LoopbackClient(port: port)
      try api.send(
        "POST /api/publish HTTP/1.1\r\nHost: h\r\nX-API-Key: secret\r\nContent-Length: \(data.count)\r\n\r\n"
          + data)
      #expect(api.receiveText(until: "}}").hasSuffix(#"{"result":{}}"#))
      #expect(client.receiveText(until: "}}}").hasSuffix(#"{"push":{"channel":"x","pub":{"data":[1]}}}"#))
      try client.send(frame: "nonsense")
      let reason = Array("bad request".utf8)
      #expect(client.receive(until: "request") == [0x88, UInt8(reason.count + 2), 0x0D, 0xAD] + reason)
      #expect(counters["commands"] == 3 && counters["bad_requests"] == 1)
      let body = "{}"
      try api.send(
        "POST /api/info HTTP/1.1\r\nHost: h\r\nX-API-Key: secret\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
      )
      #expect(api.receiveText(until: "}}}]}}").contains(#""bad_requests":1"#))
    }
  }

  @Test func aSessionInProtobuf() async throws {
    func handshake(_ offer: String, port: UInt16) throws -> (LoopbackClient, String) {
      let client = try LoopbackClient(port: port)
      let field = "Sec-WebSocket-Protocol: \(offer)\r\n"
      try client.send("GET /connection/websocket HTTP/1.1\r\nHost: h\r\n\(field)\(Self.upgrade)\r\n")
      return (client, client.receiveText(until: "\r\n\r\n"))
    }
    let chosen = "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n"
    try await serve(encodings: [CentrifugoJSONEncoding(), CentrifugoProtobufEncoding()]) { port, _ in
      let (client, head) = try handshake("x, centrifuge-protobuf", port: port)
      #expect(head.contains(chosen))
      // Text is not what was agreed on.
      try client.send(frame: "{}")
      #expect(client.receiveFrame().prefix(4) == [0x88, 49, 0x03, 0xEB])
      let answer = try handshake("x", port: port).1
      #expect(!answer.contains("Sec-WebSocket-Protocol"))
    }
    // Where the hub does not spell it, it is not spoken.
    try await serve { port, _ in
      let answer = try handshake("centrifuge-protobuf", port: port).1
      #expect(!answer.contains("Sec-WebSocket-Protocol"))
    }
  }

  /// Subscribes with an offer of permessage-deflate, and gives back what two publications of 500 bytes arrive as.
  private func publications(_ offer: String, _ compression: DeflateOptions) async throws -> [[UInt8]] {
    var frames: [[UInt8]] = []
    let encodings: [any WireEncoding] = [
      CentrifugoJSONEncoding(), CompressedEncoding(CentrifugoJSONEncoding(), compression),
    ]
    try await serve({ $0.socket.compression = compression }, encodings: encodings) { port, _ in
      let client = try LoopbackClient(port: port)
      try client.send("GET /connection/websocket HTTP/1.1\r\nHost: h\r\n\(offer)\(Self.upgrade)\r\n")
      _ = client.receiveText(until: "\r\n\r\n")
      try client.send(frame: #"{"id":1,"connect":{}}"#)
      _ = client.receiveFrame()
      try client.send(frame: #"{"id":2,"subscribe":{"channel":"x"}}"#)
      _ = client.receiveFrame()
      let body = "{\"channel\":\"x\",\"data\":\"\(String(repeating: "tick ", count: 100))\"}"
      let api = try LoopbackClient(port: port)
      for _ in 0..<2 {
        try api.send(
          "POST /api/publish HTTP/1.1\r\nHost: h\r\nX-API-Key: secret\r\nContent-Length: \(body.count)\r\n\r\n"
            + body)
        #expect(api.receiveText(until: "}}").hasSuffix(#"{"result":{}}"#))
        frames.append(client.receiveFrame())
      }
    }
    return frames
  }

  @Test func publicationsAreCompressedForThoseWhoCanTakeThem() async throws {
    let push =
      #"{"push":{"channel":"x","pub":{"data":""# + String(repeating: "tick ", count: 100) + #""}}}"#
    let plain = [0x81, 126, UInt8(push.utf8.count >> 8), UInt8(push.utf8.count & 0xFF)] + Array(push.utf8)
    #expect(try await publications("", .standard) == [plain, plain])
    let offer = "Sec-WebSocket-Extensions: permessage-deflate"
    let shared = try await publications("\(offer)\r\n", .standard)
    #expect(shared[0] == shared[1] && shared[0][0] == 0xC1)
    #expect(CompressedEncodingTests.inflate(shared[0]) == push)
    let narrow = "\(offer); server_max_window_bits=9\r\n"
    #expect(try await publications(narrow, .standard) == [plain, plain])
    // With context the second one refers to the first.
    let context = DeflateOptions(sendsWithContext: true)
    let own = try await publications("\(offer)\r\n", context)
    #expect(CompressedEncodingTests.inflate(own[0]) == push)
    #expect(own[1][0] == 0xC1 && own[1].count < own[0].count)
  }

  @Test func binaryMessagesAreRefused() async throws {
    try await serve { port, _ in
      let client = try connect(port: port)
      try client.send([0x82, 0x81, 0, 0, 0, 0, 1])
      #expect(client.receive(until: "only.").prefix(4).elementsEqual([0x88, 43, 0x03, 0xEB]))
    }
  }

  /// 18 MB are more than the kernel takes for a client that reads nothing.
  @Test func aSlowClientIsToldSo() async throws {
    let isPatient: (inout RealtimeServerOptions) -> Void = {
      $0.socket.maximumQueuedBytes = 1_000
      $0.socket.closeTimeoutMilliseconds = 60_000
    }
    try await serve(isPatient) { port, _ in
      let client = try connect(port: port)
      try client.send(frame: #"{"id":2,"subscribe":{"channel":"x"}}"#)
      #expect(client.receiveText(until: "}}").hasSuffix(#"{"id":2,"subscribe":{}}"#))
      let data = "\"" + String(repeating: "x", count: 60_000) + "\""
      let body = "{\"channel\":\"x\",\"data\":\(data)}"
      let api = try LoopbackClient(port: port)
      for _ in 0..<300 {
        try api.send(
          "POST /api/publish HTTP/1.1\r\nHost: h\r\nX-API-Key: secret\r\nContent-Length: \(body.count)\r\n\r\n"
            + body)
        #expect(api.receiveText(until: "}}").hasSuffix(#"{"result":{}}"#))
      }
      let end = client.receive(until: "slow").suffix(8)
      #expect(end.elementsEqual([0x88, 6, 0x0B, 0xC0] + Array("slow".utf8)))
    }
  }
}
