import Bytes
import Realtime
import Testing

@testable import Gateways

@Suite struct TokenTests {
  /// The example of jwt.io.
  private static let example =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
    + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
  private static let secret = "your-256-bit-secret"
  private static let now: UInt64 = 1_700_000_000

  private static func encode(_ text: String) -> String {
    Base64.encode(Array(text.utf8), alphabet: .url, padding: false)
  }

  private static func forge(
    header: String = #"{"alg":"HS256"}"#, payload: String = #"{"sub":"ann"}"#, key: String = secret
  ) -> String {
    let signed = "\(encode(header)).\(encode(payload))"
    let code = HMACCode.make(Array(signed.utf8), key: Array(key.utf8), .sha256)
    return "\(signed).\(Base64.encode(code, alphabet: .url, padding: false))"
  }

  private func verify(
    _ token: String, secret: String = secret, audience: String = "", issuer: String = "",
    requiresExpiry: Bool = false
  ) -> Result<TokenClaims, TokenError> {
    let verifier = TokenVerifier(
      secret: secret, audience: audience, issuer: issuer, requiresExpiry: requiresExpiry)
    return Result { () throws(TokenError) in try verifier.verify(token, now: Self.now) }
  }

  @Test func exampleOfJWT() throws {
    let claims = try verify(Self.example).get()
    #expect(claims.user == "1234567890")
    #expect(claims.issuedAt == 1_516_239_022)
    #expect(claims.expiresAt == nil)
  }

  /// RFC 4231 §4.3, test case 2.
  @Test func authenticationCode() {
    let code = HMACCode.make(
      Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8), .sha256)
    #expect(
      code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test func whatIsSignedIsVerified() throws {
    var claims = TokenClaims()
    claims.user = "ann"
    claims.expiresAt = Self.now + 1
    claims.notBefore = Self.now
    claims.info = Array(#"{"n":1.10}"#.utf8)
    claims.channel = "a\"b"
    claims.audiences = ["x"]
    claims.issuer = "i"
    claims.channels = ["c", "d"]
    claims.endsAt = 0
    claims.identifier = "t1"
    claims.meta = Array(#"{"a":1.50}"#.utf8)
    claims.capabilities = [
      .init(channels: ["a", "b"], allowances: [.subscribe, .publish]),
      .init(channels: ["c*"], match: .wildcard, allowances: [.history, .presence]),
    ]
    claims.allowances = [.publish]
    let token = TokenSigner(secret: Self.secret).sign(claims)
    #expect(verify(token, audience: "x", issuer: "i") == .success(claims))
    #expect(claims.endOfUse == nil)
  }

  private static let forgedForms: [String] = [
    "", ".", "..", "...", "a.b", example + ".x", String(example.dropLast()), example + "=", example + "A",
    example + " ", " " + example, String(example.dropLast(43)), String(example.dropLast()) + "d",
    String(example.dropLast(2)) + "5g", example.replacing("_", with: "/"),
    String(repeating: "a", count: 16_385),
  ]

  private static let forgedHeaders: [String] = [
    forge(key: "another"), forge(header: #"{"alg":"none"}"#), forge(header: #"{"alg":"None"}"#),
    forge(header: #"{"alg":"hs256"}"#), forge(header: #"{"alg":"HS512"}"#),
    forge(header: #"{"alg":"RS256"}"#),
    forge(header: #"{"alg":["HS256"]}"#), forge(header: #"{"alg":"HS256","crit":["x"]}"#),
    forge(header: "{}"), forge(header: "[]"), forge(header: ""), forge(header: #"{"alg":"HS256"}x"#),
    encode(#"{"alg":"none"}"#) + "." + encode(#"{"sub":"ann"}"#) + ".",
  ]

  private static let forgedClaims: [String] = [
    forge(payload: "[]"), forge(payload: ""), forge(payload: #"{"sub":1}"#), forge(payload: #"{"exp":"1"}"#),
    forge(payload: #"{"sub":"a"}x"#), forge(payload: #"{"exp":-1}"#), forge(payload: #"{"exp":1e300}"#),
    forge(payload: #"{"channel":5}"#),
    forge(payload: #"{"channels":["a",5]}"#), forge(payload: #"{"subs":["a"]}"#),
    forge(payload: #"{"subs":{"a":1}}"#), forge(payload: #"{"subs":{"a":{"b64info":"!"}}}"#),
    forge(payload: #"{"subs":{"a":{"b64data":"eA=="}}}"#),
    forge(payload: #"{"subs":{"a":{"expire_at":-1}}}"#),
    forge(payload: #"{"override":1}"#), forge(payload: #"{"override":{"presence":true}}"#),
    forge(payload: #"{"b64info":"e30=="}"#), forge(payload: #"{"b64info":"e30"}"#),
    forge(payload: #"{"b64info":"eA=="}"#),
  ]

  @Test(arguments: forgedForms + forgedHeaders + forgedClaims)
  func refused(token: String) {
    #expect(verify(token) == .failure(.invalid))
  }

  @Test(arguments: [#"{"exp":1700000000}"#, #"{"exp":0}"#, #"{"exp":1700000000.9}"#, #"{"nbf":1700000001}"#])
  func expired(payload: String) {
    #expect(verify(Self.forge(payload: payload)) == .failure(.expired))
    // That a token has expired is said of our own tokens only.
    #expect(verify(Self.forge(payload: payload, key: "another")) == .failure(.invalid))
  }

  @Test(arguments: [
    "{}", #"{"exp":1.7000000015e9,"nbf":1700000000}"#, #"{"sub":null,"exp":null,"x":[{}]}"#,
    #"{"iat":1800000000}"#,
  ])
  func accepted(payload: String) throws {
    _ = try verify(Self.forge(payload: payload)).get()
  }

  @Test func anEndIsRequired() {
    #expect(verify(Self.forge(), requiresExpiry: true) == .failure(.invalid))
    #expect(verify(Self.forge(payload: #"{"exp":null}"#), requiresExpiry: true) == .failure(.invalid))
    let limited = Self.forge(payload: #"{"exp":1700000001}"#)
    #expect(throws: Never.self) { try verify(limited, requiresExpiry: true).get() }
  }

  @Test func informationInBase64() throws {
    let claims = try verify(Self.forge(payload: #"{"info":1,"b64info":"eyAiYSI6IDEgfQ=="}"#)).get()
    #expect(claims.info == Array(#"{"a":1}"#.utf8))
  }

  @Test func channelsOfAConnection() throws {
    let claims = try verify(Self.forge(payload: #"{"channels":["a"],"subs":{"b":{"info":1}}}"#)).get()
    #expect(claims.channels == ["a"] && claims.allChannels == ["a", "b"])
    #expect(claims.subscriptions.map(\.info) == [Array("1".utf8)])
  }

  @Test func subscriptionsOfAConnection() throws {
    let subs =
      #"{"b":{"info":1.10,"data":[ 2 ],"expire_at":1700000009,"override":{"presence":{"value":true},"x":{},"#
      + #""join_leave":{},"force_recovery":null}},"c":{"b64info":"eyB9","b64data":"WzFd","expire_at":0},"d":null}"#
    let claims = try verify(Self.forge(payload: "{\"subs\":\(subs)}")).get()
    var first = TokenClaims.Subscription(channel: "b")
    first.info = Array("1.10".utf8)
    first.data = Array("[2]".utf8)
    first.endsAt = 1_700_000_009
    first.overrides.keepsPresence = true
    first.overrides.emitsJoinLeave = false
    var second = TokenClaims.Subscription(channel: "c")
    second.info = Array("{}".utf8)
    second.data = Array("[1]".utf8)
    #expect(claims.subscriptions == [first, second, TokenClaims.Subscription(channel: "d")])
    // The signer writes what the verifier reads.
    #expect(try verify(TokenSigner(secret: Self.secret).sign(claims)).get() == claims)
  }

  @Test func overrideOfASubscription() throws {
    let options = ["presence", "join_leave", "force_recovery", "force_positioning", "force_push_join_leave"]
    for (index, name) in options.enumerated() {
      let claims = try verify(
        Self.forge(payload: "{\"channel\":\"x\",\"override\":{\"\(name)\":{\"value\":true}}}")
      ).get()
      let overrides = claims.overrides
      let values = [
        overrides.keepsPresence, overrides.emitsJoinLeave, overrides.forcesRecovery,
        overrides.forcesPositioning,
        overrides.forcesJoinLeave,
      ]
      #expect(values.map { $0 == true } == options.indices.map { $0 == index }, "\(name)")
      #expect(try verify(TokenSigner(secret: Self.secret).sign(claims)).get() == claims)
    }
  }

  @Test func endOfUse() throws {
    func end(_ payload: String) throws -> UInt64? { try verify(Self.forge(payload: payload)).get().endOfUse }
    #expect(try end(#"{"exp":1700000005}"#) == 1_700_000_005)
    #expect(try end(#"{"exp":1700000005,"expire_at":1700000009}"#) == 1_700_000_009)
    #expect(try end(#"{"exp":1700000005,"expire_at":0}"#) == nil)
    #expect(try end("{}") == nil)
  }

  @Test func audienceAndIssuer() {
    let token = Self.forge(payload: #"{"aud":["z","a"],"iss":"i"}"#)
    #expect(throws: Never.self) { try verify(token, audience: "a", issuer: "i").get() }
    #expect(verify(token, audience: "b") == .failure(.invalid))
    #expect(verify(token, issuer: "j") == .failure(.invalid))
    #expect(verify(Self.forge(), audience: "a") == .failure(.invalid))
    #expect(verify(Self.forge(), issuer: "a") == .failure(.invalid))
  }

  @Test func anEmptySecretOpensNothing() {
    #expect(verify(Self.forge(key: ""), secret: "") == .failure(.invalid))
    #expect(verify(Self.example, secret: "") == .failure(.invalid))
  }
}
