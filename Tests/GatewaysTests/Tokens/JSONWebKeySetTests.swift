import Bytes
import Testing

@testable import Gateways

@Suite struct JSONWebKeySetTests {
  private static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
  private static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
  /// RFC 7515 §A.3.
  private static let p256 = #""kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)""#
  private static let token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    + "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
  /// RFC 8037 §A.2.
  private static let ed25519 =
    #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#

  private func keys(_ members: String...) throws -> [TokenKey] {
    try JSONWebKeySet.keys(
      of: Array(#"{"keys":[\#(members.map { "{\($0)}" }.joined(separator: ","))]}"#.utf8))
  }

  @Test func exampleOfECDSA() throws {
    let keys = try keys(Self.p256)
    #expect(keys.first?.algorithms == [.es256])
    let verifier = TokenVerifier(keys: keys, issuer: "joe")
    #expect(try verifier.verify(Self.token, now: 1_300_819_379).expiresAt == 1_300_819_380)
    #expect(throws: TokenError.invalid) { try verifier.verify(Self.token + "A", now: 1) }
  }

  @Test func exampleOfEdDSA() throws {
    let key = try #require(try keys(Self.ed25519).first)
    #expect(key.algorithms == [.edDSA])
    let message = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
    let text = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    var signature = try #require(Base64.decode(text, alphabet: .url, padding: false))
    #expect(key.verifies(signature, of: message, .edDSA))
    signature[63] ^= 1
    #expect(!key.verifies(signature, of: message, .edDSA))
  }

  @Test func keyOfRSA() throws {
    // The modulus of TokenTestKeys.rsaPublic stands behind a fixed prefix of its DER.
    let der = Self.der(of: TokenTestKeys.rsaPublic)
    let modulus = Base64.encode(Array(der[33..<289]), alphabet: .url, padding: false)
    let key = try #require(
      try keys(#""kty":"RSA","n":"\#(modulus)","e":"AQAB","alg":"RS384","kid":"k""#).first)
    #expect(key.algorithms == [.rs384])
    #expect(key.identifier == "k")
    let signer = try TokenSigner(privateKey: TokenTestKeys.rsa, algorithm: .rs384, identifier: "k")
    var claims = TokenClaims()
    claims.expiresAt = 2
    #expect(try TokenVerifier(keys: [key]).verify(signer.sign(claims), now: 1) == claims)
  }

  private static func der(of pem: [UInt8]) -> [UInt8] {
    let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-") }
    return Base64.decode(lines.joined()) ?? []
  }

  @Test func namesAndUses() throws {
    let found = try keys(
      #"\#(Self.p256),"kid":"a","use":"sig","key_ops":["verify"]"#,
      #"\#(Self.ed25519),"kid":"b","alg":"EdDSA""#)
    #expect(found.map(\.identifier) == ["a", "b"])
  }

  @Test(arguments: [
    #"\#(p256),"use":"enc""#, #"\#(p256),"key_ops":["sign"]"#, #"\#(p256),"alg":"RS256""#,
    #"\#(p256),"alg":"none""#, #"\#(p256),"alg":5"#,
    #"\#(p256),"kid":"\#(String(repeating: "k", count: 256))""#,
    #""kty":"oct","k":"c2VjcmV0""#, #""kty":"oct","k":"c2VjcmV0","alg":"HS256""#,
    #""kty":"EC","crv":"P-256","x":"\#(y)","y":"\#(x)""#, #""kty":"EC","crv":"P-256","x":"\#(x)""#,
    #""kty":"EC","crv":"P-384","x":"\#(x)","y":"\#(y)""#,
    #""kty":"EC","crv":"secp256k1","x":"\#(x)","y":"\#(y)""#,
    #""kty":"OKP","crv":"X25519","x":"\#(x)""#, #""kty":"OKP","crv":"Ed25519","x":"AAAA""#,
    #""kty":"RSA","n":"AQAB","e":"AQAB""#, #""kty":"RSA","n":"","e":"""#, #""kty":"RSA","n":5,"e":"AQAB""#,
    "",
  ])
  func passedOver(member: String) throws {
    #expect(try keys(member).isEmpty)
  }

  @Test(arguments: ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}x"#])
  func notASet(text: String) {
    #expect(throws: TokenKeyError.self) { try JSONWebKeySet.keys(of: Array(text.utf8)) }
  }

  @Test func theMostKeys() throws {
    func count(_ number: Int) throws -> Int {
      let members = Array(repeating: "{\(Self.ed25519)}", count: number).joined(separator: ",")
      return try JSONWebKeySet.keys(of: Array(#"{"keys":[\#(members)]}"#.utf8)).count
    }
    #expect(try count(99) == 99)
    #expect(try count(100) == 100)
    #expect(try count(101) == 100)
  }
}
