import Testing

@testable import Gateways

/// What the log says of sessions.
@Suite struct SessionLogTests {
  private let log = TestLog()

  private func world(_ change: (inout CentrifugoOptions) -> Void = { _ in }) -> SessionWorld {
    SessionWorld {
      $0.log = log.log
      change(&$0)
    }
  }

  @Test func clientsThatComeAndGo() {
    let world = world()
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    #expect(
      log.take() == ["debug   a client has connected client=c1 user=ann transport=websocket address=\"\""])
    client.send("nonsense")
    #expect(log.take() == ["debug   a client has gone client=c1 user=ann code=3501 reason=\"bad request\""])
    log.log.use(level: .info)
    _ = world.connected()
    #expect(log.take().isEmpty)
  }

  @Test func refusedTokens() {
    let world = world()
    _ = world.open().call(#"{"id":1,"connect":{"token":"a.b.c"}}"#)
    #expect(
      log.take() == [
        "warning a token was refused command=connect reason=\"not a JSON Web Token\" user=\"\" client=c1 address=\"\""
      ])
    // The client renews an expired one by itself.
    let expired = SessionWorld.token { $0.expiresAt = SessionWorld.epoch }
    _ = world.open().call("{\"id\":1,\"connect\":{\"token\":\"\(expired)\"}}")
    #expect(log.take().isEmpty)
    let client = world.connected("{\"token\":\"\(SessionWorld.token())\"}")
    _ = client.call(#"{"id":2,"subscribe":{"channel":"closed:x","token":"a.b.c"}}"#)
    _ = client.call(#"{"id":3,"refresh":{"token":"a.b.c"}}"#)
    #expect(
      log.take().filter { $0.hasPrefix("warning") } == [
        "warning a token was refused command=subscribe reason=\"not a JSON Web Token\" user=ann client=c3 address=\"\"",
        "warning a token was refused command=refresh reason=\"not a JSON Web Token\" user=ann client=c3 address=\"\"",
      ])
  }

  @Test("A regular expression that cannot be used is explained to whoever made the token")
  func unusableExpressions() throws {
    let world = world()
    let payload = #"{"sub":"ann","caps":[{"channels":["a","(b"],"match":"regex","allow":["sub"]}]}"#
    let token = TokenSigner(secret: SessionWorld.secret).sign(payload: Array(payload.utf8))
    #expect(
      world.open().call("{\"id\":1,\"connect\":{\"token\":\"\(token)\"}}") == ["close 3500 invalid token"])
    #expect(
      log.take().first?.contains(
        "the regular expression (b in caps cannot be used: it has a ( that is not closed")
        == true)
    let other = world.open()
    let wrong = SessionWorld.token { $0.expiresAt = 1 << 40 }.dropLast() + "x"
    _ = other.call("{\"id\":1,\"connect\":{\"token\":\"\(wrong)\"}}")
    #expect(log.take().first?.contains("reason=\"not valid here\"") == true)
  }

  @Test func keysThatAreReplaced() throws {
    let tokens = CurrentTokens(TokenVerifier(secret: SessionWorld.secret, requiresExpiry: false))
    let world = world { $0.currentTokens = tokens }
    let old = SessionWorld.token { $0.expiresAt = SessionWorld.epoch + 60 }
    let client = world.connected("{\"token\":\"\(old)\"}")
    tokens.use(TokenVerifier(secret: "another", requiresExpiry: false))
    // The connection goes on; the old key is good for nothing more, on it or on others.
    #expect(client.call(#"{"id":2,"ping":{}}"#) == [#"{"id":2,"ping":{}}"#])
    #expect(
      world.open().call("{\"id\":1,\"connect\":{\"token\":\"\(old)\"}}") == ["close 3500 invalid token"])
    #expect(client.call("{\"id\":3,\"refresh\":{\"token\":\"\(old)\"}}") == ["close 3500 invalid token"])
  }
}
