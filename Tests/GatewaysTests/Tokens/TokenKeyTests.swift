import Bytes
import Testing

@testable import Gateways

/// Keys of every kind, and what they do not do.
@Suite struct TokenKeyTests {
  private static let now: UInt64 = 1_700_000_000

  struct Pair: Sendable, CustomTestStringConvertible {
    let algorithm: TokenAlgorithm
    let privateKey: [UInt8]
    let publicKey: [UInt8]
    var testDescription: String { algorithm.rawValue }
  }

  static let pairs: [Pair] = [
    Pair(algorithm: .rs256, privateKey: TokenTestKeys.rsa, publicKey: TokenTestKeys.rsaPublic),
    Pair(algorithm: .rs384, privateKey: TokenTestKeys.rsa, publicKey: TokenTestKeys.rsaPublic),
    Pair(algorithm: .rs512, privateKey: TokenTestKeys.rsa, publicKey: TokenTestKeys.rsaPublic),
    Pair(algorithm: .es256, privateKey: TokenTestKeys.p256, publicKey: TokenTestKeys.p256Public),
    Pair(algorithm: .es256, privateKey: TokenTestKeys.p256, publicKey: TokenTestKeys.p256Certificate),
    Pair(algorithm: .es384, privateKey: TokenTestKeys.p384, publicKey: TokenTestKeys.p384Public),
    Pair(algorithm: .es512, privateKey: TokenTestKeys.p521, publicKey: TokenTestKeys.p521Public),
    Pair(algorithm: .edDSA, privateKey: TokenTestKeys.ed25519, publicKey: TokenTestKeys.ed25519Public),
  ]

  private static var claims: TokenClaims {
    var claims = TokenClaims()
    claims.user = "ann"
    claims.expiresAt = now + 60
    return claims
  }

  @Test(arguments: pairs) func whatIsSignedIsVerified(pair: Pair) throws {
    let verifier = TokenVerifier(keys: [try TokenKey(pem: pair.publicKey)])
    let signer = try TokenSigner(privateKey: pair.privateKey, algorithm: pair.algorithm)
    // Numbers of ECDSA signatures have leading zeros now and then.
    for number in 0..<50 {
      var claims = Self.claims
      claims.issuedAt = UInt64(number)
      #expect(try verifier.verify(signer.sign(claims), now: Self.now) == claims)
    }
  }

  @Test(arguments: pairs) func anotherAlgorithmThanTheKeys(pair: Pair) throws {
    let others = Set(TokenAlgorithm.allCases).subtracting([pair.algorithm])
    let key = try? TokenKey(pem: pair.publicKey, algorithms: others)
    // RSA keys have more than one algorithm; the others none.
    #expect((key != nil) == [.rs256, .rs384, .rs512].contains(pair.algorithm))
    guard let key else { return }
    let token = try TokenSigner(privateKey: pair.privateKey, algorithm: pair.algorithm).sign(Self.claims)
    #expect(throws: TokenError.invalid) { try TokenVerifier(keys: [key]).verify(token, now: Self.now) }
  }

  @Test func keysAreChosenByName() throws {
    let (old, new) = (
      try TokenKey(secret: "old", identifier: "1"), try TokenKey(secret: "new", identifier: "2")
    )
    let verifier = TokenVerifier(keys: [old, new])
    func verify(_ secret: String, _ kid: String?) throws -> TokenClaims {
      let signer = try TokenSigner(secret: secret, algorithm: .hs512, identifier: kid)
      return try verifier.verify(signer.sign(Self.claims), now: Self.now)
    }
    #expect(try verify("old", "1") == Self.claims)
    #expect(try verify("new", "2") == Self.claims)
    #expect(try verify("new", nil) == Self.claims)
    #expect(throws: TokenError.invalid) { try verify("new", "1") }
    #expect(throws: TokenError.invalid) { try verify("new", "3") }
  }

  @Test func aTokenIsTriedWithSomeKeysOnly() throws {
    let keys = try (0...TokenVerifier.maximumKeysTried).map { try TokenKey(secret: "secret \($0)") }
    func verify(_ number: Int) throws -> TokenClaims {
      try TokenVerifier(keys: keys).verify(
        TokenSigner(secret: "secret \(number)").sign(Self.claims), now: Self.now)
    }
    #expect(throws: Never.self) { try verify(TokenVerifier.maximumKeysTried - 1) }
    #expect(throws: TokenError.invalid) { try verify(TokenVerifier.maximumKeysTried) }
  }

  @Test(arguments: [
    TokenTestKeys.rsa1024Public, TokenTestKeys.k256Public, TokenTestKeys.x25519Public, TokenTestKeys.rsa,
    TokenTestKeys.p256Encrypted, [], Array("secret".utf8), Array(TokenTestKeys.rsaPublic.dropLast(40)),
    [UInt8](repeating: 65, count: 65_537),
  ])
  func notAPublicKey(pem: [UInt8]) {
    #expect(throws: TokenKeyError.self) { try TokenKey(pem: pem) }
  }

  @Test(arguments: [
    TokenTestKeys.rsa1024, TokenTestKeys.k256, TokenTestKeys.x25519, TokenTestKeys.rsaPublic,
    TokenTestKeys.p256Encrypted, [],
  ])
  func notAPrivateKey(pem: [UInt8]) {
    #expect(throws: TokenKeyError.self) { try TokenSigner(privateKey: pem) }
  }

  @Test func aSignerTakesWhatSuitsItsKey() {
    #expect(throws: TokenKeyError.self) { try TokenSigner(privateKey: TokenTestKeys.p256, algorithm: .es384) }
    #expect(throws: TokenKeyError.self) { try TokenSigner(privateKey: TokenTestKeys.rsa, algorithm: .hs256) }
    #expect(throws: TokenKeyError.self) { try TokenSigner(secret: "s", algorithm: .rs256) }
  }

  @Test func aPublicKeyIsNoSecret() {
    let text = String(decoding: TokenTestKeys.rsaPublic, as: UTF8.self)
    #expect(throws: TokenKeyError.self) { try TokenKey(secret: text) }
    #expect(TokenVerifier(secret: text).keys.isEmpty)
    #expect(throws: TokenKeyError.self) { try TokenKey(secret: "") }
  }

  @Test func revokedTokens() throws {
    let revocations = TokenRevocations(maximumCount: 2)
    var verifier = TokenVerifier(secret: "secret")
    verifier.revocations = revocations
    func outcome(
      _ jti: String, user: String = "ann", issuedAt: UInt64? = 5, at time: UInt64 = Self.now
    ) -> TokenError? {
      var claims = Self.claims
      claims.identifier = jti
      claims.user = user
      claims.issuedAt = issuedAt
      do throws(TokenError) {
        _ = try verifier.verify(TokenSigner(secret: "secret").sign(claims), now: time)
        return nil
      } catch { return error }
    }
    #expect(outcome("a") == nil)
    #expect(revocations.revoke(token: "a", until: Self.now + 10, now: Self.now))
    #expect(outcome("a") == .revoked)
    #expect(outcome("b") == nil)
    #expect(outcome("a", at: Self.now + 10) == nil)
    #expect(revocations.revoke(user: "bob", issuedBefore: 6, until: Self.now + 10, now: Self.now))
    #expect(outcome("b", user: "bob") == .revoked)
    #expect(outcome("b", user: "bob", issuedAt: nil) == .revoked)
    #expect(outcome("b", user: "bob", issuedAt: 6) == nil)
    // Full: one more is refused until another has ended; a known one may be changed.
    #expect(!revocations.revoke(user: "eve", issuedBefore: nil, until: Self.now + 10, now: Self.now))
    #expect(revocations.revoke(user: "bob", issuedBefore: nil, until: Self.now + 20, now: Self.now))
    #expect(outcome("b", user: "bob", issuedAt: 6) == .revoked)
    #expect(revocations.revoke(user: "eve", issuedBefore: nil, until: Self.now + 20, now: Self.now + 10))
    #expect(revocations.count == 2)
    #expect(revocations.restore(user: "eve"))
    #expect(!revocations.restore(user: "eve"))
  }
}
