import EventLoops
import HTTPCore
import Synchronization
import Testing
import WebSockets

@testable import Gateways
@testable import Realtime

/// Methods that look through what is there, and those that send somebody away.
@Suite struct HTTPAPIPageTests {
  private final class World {
    let sessions = SessionWorld(loops: 2)
    let revocations = TokenRevocations()
    let api: HTTPAPI

    init() {
      let clock = sessions.clock
      api = HTTPAPI(
        hub: sessions.hub, keys: ["k"], node: NodeIdentity(uid: "", name: "", version: ""),
        uptimeSeconds: { 0 }, revocations: revocations, now: { clock.seconds })
    }

    func call(_ method: APIMethod, _ body: String) throws -> String {
      let request = try Array(body.utf8).withUnsafeBytes { try APIRequest.decode(method, $0) }
      guard case .success(let call) = request else { return "refused" }
      return api.answer(to: call, on: sessions.loops[0], sessions.network)
    }

    func connect(_ user: String, _ change: (inout TokenClaims) -> Void = { _ in }) -> TestClient {
      sessions.connected(#"{"token":"\#(SessionWorld.token(user, change))"}"#)
    }
  }

  @Test func channelsPageByPage() throws {
    let world = World()
    let client = world.sessions.connected()
    for name in ["b", "a", "c"] { _ = client.call(#"{"id":2,"subscribe":{"channel":"plain:\#(name)"}}"#) }
    #expect(
      try world.call(.channels, #"{"limit":2}"#)
        == #"{"result":{"channels":{"plain:a":{"num_clients":1},"plain:b":{"num_clients":1}},"next_cursor":"plain:b"}}"#
    )
    #expect(
      try world.call(.channels, #"{"limit":2,"cursor":"plain:b"}"#)
        == #"{"result":{"channels":{"plain:c":{"num_clients":1}}}}"#)
    #expect(
      try world.call(.channels, #"{"pattern":"*:b","limit":1,"cursor":"plain:b"}"#)
        == #"{"result":{"channels":{}}}"#)
  }

  @Test func manyChannelsAreSorted() throws {
    let world = SessionWorld(loops: 2) { _ in }
    let names = (0..<60).map { "plain:\(($0 * 37) % 60 + 100)" }
    // A client has three channels at most in this world.
    let clients = stride(from: 0, to: 60, by: 3).map { start in
      let client = world.connected()
      for name in names[start..<(start + 3)] {
        _ = client.call(#"{"id":2,"subscribe":{"channel":"\#(name)"}}"#)
      }
      return client
    }
    #expect(clients.count == 20)
    var (found, cursor) = ([String](), "")
    repeat {
      let page = Mutex<[String]>([])
      world.loops[0].execute { [hub = world.hub, cursor] in
        hub.channels(ChannelPattern(""), after: cursor, limit: 7) { some in
          page.withLock { $0 = some.map(\.name) }
        }
      }
      world.network.runUntilIdle()
      found += page.withLock { $0 }
      cursor = page.withLock { $0.last ?? "" }
    } while !cursor.isEmpty
    #expect(found == names.sorted())
  }

  @Test func connections() throws {
    let world = World()
    let ann = world.connect("ann") {
      $0.identifier = "t"
      $0.issuedAt = 5
      $0.info = Array("[1]".utf8)
    }
    _ = ann.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#)
    _ = world.connect("bob")
    #expect(
      try world.call(.connections, #"{"user":"ann"}"#)
        == #"{"result":{"connections":{"c1":{"user":"ann","conn_info":[1],"state":{"channels":{"plain:a":{}},"#
        + #""connection_token":{"uid":"t","issued_at":5}}}}}}"#)
    #expect(
      try world.call(.connections, #"{"limit":1,"cursor":"c1"}"#)
        == #"{"result":{"connections":{"c2":{"user":"bob","state":{"channels":{}}}},"next_cursor":"c2"}}"#)
    #expect(try world.call(.connections, #"{"cursor":"c2"}"#) == #"{"result":{"connections":{}}}"#)
  }

  @Test func revokingAToken() throws {
    let world = World()
    let (first, second) = (
      world.connect("ann") { $0.identifier = "1" }, world.connect("ann") { $0.identifier = "2" }
    )
    #expect(try world.call(.revokeToken, #"{"uid":"1"}"#) == #"{"result":{}}"#)
    #expect(first.take() == ["close 3500 token revoked"])
    #expect(second.take().isEmpty)
    #expect(try world.call(.revokeToken, "{}") == "refused")
  }

  @Test func revokingTheTokensOfAUser() throws {
    let world = World()
    let old = world.connect("ann") { $0.issuedAt = 10 }
    let new = world.connect("ann") { $0.issuedAt = 20 }
    let other = world.connect("bob") { $0.issuedAt = 10 }
    #expect(try world.call(.invalidateUserTokens, #"{"user":"ann","issued_before":20}"#) == #"{"result":{}}"#)
    #expect(old.take() == ["close 3500 token revoked"])
    #expect(new.take().isEmpty && other.take().isEmpty)
    #expect(world.revocations.count == 1)
  }

  @Test func blockingAUser() throws {
    let world = World()
    let ann = world.connect("ann")
    #expect(try world.call(.blockUser, #"{"user":"ann"}"#) == #"{"result":{}}"#)
    #expect(ann.take() == ["close 3500 token revoked"])
    #expect(world.revocations.blocks(user: "ann", now: SessionWorld.epoch + APILimits.revocationSeconds - 1))
    #expect(!world.revocations.blocks(user: "ann", now: SessionWorld.epoch + APILimits.revocationSeconds))
    #expect(try world.call(.unblockUser, #"{"user":"ann"}"#) == #"{"result":{}}"#)
    #expect(world.revocations.count == 0)
    #expect(try world.call(.blockUser, "{}") == "refused")
  }

  @Test func unsubscribingWithACode() throws {
    let world = World()
    let ann = world.connect("ann")
    _ = ann.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#)
    for code in [1_999, 3_000] {
      #expect(
        try world.call(.unsubscribe, #"{"user":"ann","channel":"plain:a","code":\#(code)}"#) == "refused")
    }
    _ = try world.call(.unsubscribe, #"{"user":"ann","channel":"plain:a","code":2500}"#)
    #expect(ann.take().last?.contains(#""code":2500"#) == true)
  }

  @Test func aStreamOfPublications() throws {
    let world = World()
    func stream(_ text: String, summarized: Bool = false) -> String {
      let answer = Mutex("no answer")
      world.sessions.loops[0].execute { [api = world.api] in
        api.stream(Array(text.utf8), summarized: summarized) { response in
          answer.withLock {
            $0 = "\(response.status.code) " + String(decoding: response.body?.array ?? [], as: UTF8.self)
          }
        }
      }
      world.sessions.network.runUntilIdle()
      return answer.withLock { $0 }
    }
    let text =
      "{\"channel\":\"plain:a\",\"data\":1}\r\n\n{\"channel\":\"plain:a\"}\n{\n{\"channel\":\"no:a\",\"data\":1}"
    let lines = stream(text).split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0] == #"200 {"result":{}}"#)
    #expect(lines[1] == #"{"error":{"code":107,"message":"data is missing"}}"#)
    #expect(lines[2].hasPrefix(#"{"error":{"code":107,"message":"the line is not a publication"#))
    #expect(lines[3] == #"{"error":{"code":102,"message":"unknown channel"}}"#)
    #expect(
      stream(text, summarized: true)
        .hasPrefix(
          #"200 {"result":{"published":1,"failed":3,"first_error":{"line":2,"code":107,"message":"data is missing"},"#
            + #""errors":[{"line":2,"code":107,"message":"data is missing"},{"line":3,"#))
    #expect(stream("") == "200 ")
    let line = "{\"channel\":\"plain:a\",\"data\":1}\n"
    let most = APILimits.maximumStreamLines
    #expect(
      stream(String(repeating: line, count: most), summarized: true)
        == #"200 {"result":{"published":10000,"failed":0}}"#)
    #expect(stream(String(repeating: line, count: most + 1)).hasPrefix("413 "))
  }

  @Test func aPublicationForAWhileAndLater() throws {
    let body = #"{"channel":"a","data":1,"ttl_ms":5,"delay_ms":7,"delta":true}"#
    let request = try Array(body.utf8).withUnsafeBytes { try APIRequest.decode(.publish, $0).get() }
    guard case .publish(let publication, "a") = request else { throw APIError.badRequest }
    #expect(publication.ttlMilliseconds == 5)
    #expect(publication.delayMilliseconds == 7)
    #expect(publication.usesDelta)
  }

  @Test func keysAreChanged() {
    let world = World()
    func isOpen(_ key: String) -> Bool {
      let head = HTTPRequestHead(method: .post, target: "/api/info", fields: ["X-API-Key": key])
      if case .perform = world.api.call(head, body: UnsafeRawBufferPointer(start: nil, count: 0)) {
        return true
      }
      return false
    }
    #expect(isOpen("k") && !isOpen("n"))
    world.api.use(keys: ["k", "n"])
    #expect(isOpen("k") && isOpen("n"))
    world.api.use(keys: ["n"])
    #expect(!isOpen("k") && isOpen("n"))
  }
}
