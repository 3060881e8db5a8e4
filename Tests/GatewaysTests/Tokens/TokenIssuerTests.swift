import Testing

@testable import Gateways

/// Several issuers, each with keys of its own; and tokens that one of them, or anybody, makes in another's name.
@Suite struct TokenIssuerTests {
  private static let now: UInt64 = 1_700_000_000

  private static func key(_ pem: [UInt8], _ kid: String?) throws -> TokenKey {
    try TokenKey(pem: pem, identifier: kid)
  }

  /// Both issuers call their key “k”. Tokens of the server's own have a secret.
  private static func verifier(_ issuer: String = "") throws -> TokenVerifier {
    var verifier = TokenVerifier(
      keys: [try TokenKey(secret: "secret")], audience: "own", issuer: issuer, requiresExpiry: true)
    verifier.issuers = [
      "a": TokenIssuer(keys: [try key(TokenTestKeys.rsaPublic, "k")], audience: "chat"),
      "b": TokenIssuer(keys: [try key(TokenTestKeys.p256Public, "k")], algorithms: [.es256]),
      "narrow": TokenIssuer(keys: [try key(TokenTestKeys.rsaPublic, "k")], algorithms: [.rs512]),
      "": TokenIssuer(),
    ]
    return verifier
  }

  private static let rsa = TokenTestKeys.rsa
  private static let p256 = TokenTestKeys.p256

  private func verify(
    _ payload: String, _ key: [UInt8]?, _ verifier: TokenVerifier, kid: String? = "k",
    algorithm: TokenAlgorithm? = nil
  ) throws -> Result<String, TokenError> {
    let signer =
      try key.map { try TokenSigner(privateKey: $0, algorithm: algorithm, identifier: kid) }
      ?? TokenSigner(secret: "secret", algorithm: .hs256, identifier: kid)
    let text = "{\"sub\":\"u\",\"exp\":1700000060\(payload)}"
    return Result { () throws(TokenError) in
      try verifier.verify(signer.sign(payload: Array(text.utf8)), now: Self.now).user
    }
  }

  @Test func eachWithItsOwnKeys() throws {
    let verifier = try Self.verifier()
    #expect(try verify(#","iss":"a","aud":"chat""#, Self.rsa, verifier) == .success("u"))
    #expect(try verify(#","iss":"a","aud":["x","chat"]"#, Self.rsa, verifier, kid: nil) == .success("u"))
    #expect(try verify(#","iss":"b""#, Self.p256, verifier) == .success("u"))
    #expect(try verify(#","iss":"narrow""#, Self.rsa, verifier, algorithm: .rs512) == .success("u"))
    #expect(try verify(#","aud":"own""#, nil, verifier, kid: nil) == .success("u"))
    // The server's own issuer, where it has a name.
    let named = try Self.verifier("me")
    #expect(try verify(#","iss":"me","aud":"own""#, nil, named) == .success("u"))
    #expect(try verify(#","iss":"b""#, Self.p256, named) == .success("u"))
  }

  @Test(arguments: [
    // Signed by the other issuer, whose key has the same name.
    #","iss":"b""#, #","iss":"b","aud":"chat""#,
    // Of nobody who is known, in many spellings.
    #","iss":"c""#, #","iss":"A","aud":"chat""#, #","iss":"a ","aud":"chat""#, #","iss":"a/","aud":"chat""#,
    #","iss":"","aud":"chat""#, #","iss":null,"aud":"chat""#, #","iss":["a"],"aud":"chat""#,
    #","iss":{"a":1},"aud":"chat""#, #","iss":1,"aud":"chat""#, #","aud":"chat""#, #","aud":"own""#,
    // The first or the last of two: whichever counts, it counts for the key, too.
    #","iss":"b","iss":"a","aud":"own""#,
    // Meant for others.
    #","iss":"a""#, #","iss":"a","aud":"own""#, #","iss":"a","aud":[]"#,
    // By an algorithm that is not this issuer's.
    #","iss":"narrow""#,
  ])
  func tokensByTheKeyOfA(_ payload: String) throws {
    #expect(try verify(payload, Self.rsa, Self.verifier()) == .failure(.invalid))
    #expect(try verify(payload, Self.rsa, Self.verifier("me")) == .failure(.invalid))
  }

  @Test("The server's secret signs for no issuer")
  func theSecretIsTheServersOwn() throws {
    for payload in [
      #","iss":"a","aud":["chat","own"]"#, #","iss":"b","aud":"own""#, #","iss":"me","aud":"own""#,
    ] {
      #expect(try verify(payload, nil, Self.verifier(), kid: nil) == .failure(.invalid))
    }
    #expect(try verify(#","aud":"own""#, nil, Self.verifier("me"), kid: nil) == .failure(.invalid))
  }

  @Test("A key that is known by another name, and one of somebody else by the right name")
  func namesOfKeys() throws {
    let verifier = try Self.verifier()
    #expect(try verify(#","iss":"a","aud":"chat""#, Self.rsa, verifier, kid: "x") == .failure(.invalid))
    #expect(try verify(#","iss":"a","aud":"chat""#, TokenTestKeys.rsaOther, verifier) == .failure(.invalid))
    #expect(try verify(#","iss":"b""#, TokenTestKeys.p256Other, verifier) == .failure(.invalid))
  }

  @Test("Keys that are being fetched are waited for, of their own issuer only")
  func fetchedKeys() throws {
    final class Source: TokenKeySource {
      func keys(for algorithm: TokenAlgorithm, identifier: String?) -> TokenKeyLookup { .underWay }
    }
    var verifier = try Self.verifier()
    verifier.issuers["c"] = TokenIssuer(keySource: Source())
    #expect(try verify(#","iss":"c""#, Self.rsa, verifier) == .failure(.unknownKey))
    #expect(try verify(#","iss":"b""#, Self.rsa, verifier) == .failure(.invalid))
    #expect(try verify(#","iss":"d""#, Self.rsa, verifier) == .failure(.invalid))
  }
}
