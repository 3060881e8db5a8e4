import EventLoops
import Testing

@testable import Gateways

@Suite struct FetchedKeySetTests {
  private static func key(_ kid: String) -> String {
    #"{"kty":"OKP","crv":"Ed25519","kid":"\#(kid)","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
  }

  private static func set(_ kids: String...) -> String {
    #"{"keys":[\#(kids.map { key($0) }.joined(separator: ","))]}"#
  }

  private final class World {
    let network = SimulatedNetwork()
    let server: SimulatedHTTPServer
    let keys: FetchedKeySet
    let log = TestLog()

    init() throws {
      server = SimulatedHTTPServer(network)
      var options = FetchedKeySet.Options()
      options.refreshMilliseconds = 600_000
      options.log = log.log
      keys = try FetchedKeySet(url: "http://127.0.0.1/keys", on: network.makeLoop(), options: options)
    }

    func lookUp(_ kid: String?, _ algorithm: TokenAlgorithm = .edDSA) -> String {
      switch keys.keys(for: algorithm, identifier: kid) {
      case .known(let keys): "known \(keys.count)"
      case .unknown: "unknown"
      case .underWay: "under way"
      }
    }

    func count(_ name: String) -> UInt64? { keys.counters.first { $0.name == name }?.value }
  }

  @Test func keysAreFetchedAndKept() throws {
    let world = try World()
    world.keys.start()
    let request = try #require(world.server.take().first)
    #expect(request.hasPrefix("GET /keys HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/jwk-set+json"))
    #expect(world.lookUp("a") == "under way")
    world.server.answer(Self.set("a", "b"))
    #expect(world.lookUp("a") == "known 1")
    #expect(world.lookUp(nil) == "known 2")
    #expect(world.lookUp("a", .es256) == "unknown")
    // What is known is not fetched again before its time.
    world.network.advance(milliseconds: 599_000)
    #expect(world.server.take().isEmpty)
    world.network.advance(milliseconds: 1_001)
    #expect(world.server.take().count == 1)
    world.server.answer(Self.set("c"))
    #expect(world.lookUp("a") == "under way" || world.lookUp("a") == "unknown")
    #expect(world.lookUp("c") == "known 1")
  }

  @Test func anUnknownKeyIsFetchedOnceInAWhile() throws {
    let world = try World()
    world.keys.start()
    _ = world.server.take()
    world.server.answer(Self.set("a"))
    // The set is fresh: no key that it lacks is worth another fetch.
    #expect(world.lookUp("x") == "unknown")
    world.network.advance(milliseconds: 30_000)
    #expect(world.lookUp("x") == "under way")
    #expect(world.lookUp("y") == "under way")
    #expect(world.lookUp(nil, .es256) == "unknown")
    #expect(world.server.take().count == 1)
    world.server.answer(Self.set("a", "x"))
    #expect(world.lookUp("x") == "known 1")
    for _ in 0..<100 { #expect(world.lookUp("y") == "unknown") }
    #expect(world.server.take().isEmpty)
    #expect(world.count("token_key_fetches") == 2)
  }

  @Test func theLastGoodKeysStay() throws {
    let world = try World()
    world.keys.start()
    _ = world.server.take()
    world.server.answer(Self.set("a"), fields: "Cache-Control: public, max-age=60\r\n")
    world.network.advance(milliseconds: 60_001)
    let answers = [
      ("", 500, 1_000), ("nonsense", 200, 2_000), (#"{"keys":[]}"#, 200, 4_000), (Self.set("z"), 302, 8_000),
    ]
    for (answer, status, pause) in answers {
      #expect(world.server.take().count == 1)
      world.server.answer(answer, status: status)
      #expect(world.lookUp("a") == "known 1")
      world.network.advance(milliseconds: UInt64(pause))
    }
    #expect(world.count("token_key_fetch_failures") == 4)
    let start = "warning the keys of tokens were not fetched server=127.0.0.1 "
    let none = "error=\"there is no key in the answer that verifies tokens\""
    #expect(world.log.take() == ["status=500", none, none, "status=302"].map { start + $0 })
  }

  @Test(arguments: [("max-age=1", 30_000), ("max-age=999999", 86_400_000), ("max-age=x", 600_000)])
  func whenTheAnswerSaysIt(text: String, milliseconds: Int) throws {
    let world = try World()
    world.keys.start()
    _ = world.server.take()
    world.server.answer(Self.set("a"), fields: "Cache-Control: \(text)\r\n")
    world.network.advance(milliseconds: UInt64(milliseconds) - 1)
    #expect(world.server.take().isEmpty)
    world.network.advance(milliseconds: 1)
    #expect(world.server.take().count == 1)
  }

  @Test func aTokenOfAKeyThatIsBeingFetched() throws {
    let world = try World()
    let verifier = TokenVerifier(keySource: world.keys)
    let signer = try TokenSigner(privateKey: TokenTestKeys.ed25519, identifier: "a")
    var claims = TokenClaims()
    claims.expiresAt = 2
    let token = signer.sign(claims)
    #expect(throws: TokenError.unknownKey) { try verifier.verify(token, now: 1) }
    _ = world.server.take()
    world.server.answer(Self.set("a"))
    // It is another key of that name.
    #expect(throws: TokenError.invalid) { try verifier.verify(token, now: 1) }
  }

  @Test(arguments: ["", "ftp://a/", "//a", "https://"])
  func urlsThatCannotBeUsed(url: String) {
    let network = SimulatedNetwork()
    #expect(throws: TokenKeyError.self) { try FetchedKeySet(url: url, on: network.makeLoop()) }
  }
}

extension FetchedKeySetTests {
  @Test func nothingIsFetchedForNobody() throws {
    let world = try World()
    world.keys.start()
    _ = world.server.take()
    world.server.answer(Self.set("a"))
    world.keys.stop()
    world.network.advance(milliseconds: 10_000_000)
    #expect(world.lookUp("a") == "known 1" && world.lookUp("x") == "under way")
    world.network.advance(milliseconds: 100_000)
    #expect(world.server.take().isEmpty && world.count("token_key_fetches") == 1)
  }
}
