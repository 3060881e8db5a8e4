import Gateways
import Testing

@testable import martlet

@Suite("Settings of issuers") struct TokenIssuerSettingTests {
  private typealias Kind = ValueKind<[TokenIssuerSetting]>

  @Test("Names, addresses and what narrows them")
  func reading() throws {
    let text = "https://a.example https://a.example/jwks?x=1 aud=chat alg=RS256+ES256,b http://127.0.0.1/k"
    let issuers = try Kind.tokenIssuers.read(.text(text))
    #expect(issuers.map(\.name) == ["https://a.example", "b"])
    #expect(issuers.map(\.url) == ["https://a.example/jwks?x=1", "http://127.0.0.1/k"])
    #expect(issuers.map(\.audience) == ["chat", ""])
    #expect(issuers.map(\.algorithms) == [[.rs256, .es256], []])
    #expect(
      Kind.tokenIssuers.show(issuers)
        == #"["https://a.example https://a.example/jwks?x=1 aud=chat alg=RS256+ES256", "b http://127.0.0.1/k"]"#
    )
  }

  @Test(
    "Refused in words",
    arguments: [
      ("a", "is not \"ISSUER JWKS_URL [aud=NAME] [alg=RS256+ES256]\""),
      ("a http://x b", "is not \"ISSUER JWKS_URL [aud=NAME] [alg=RS256+ES256]\""),
      ("a http://x aud=", "is not \"ISSUER JWKS_URL [aud=NAME] [alg=RS256+ES256]\""),
      ("a ftp://x", "has \"ftp://x\", which is not a URL (http or https)"),
      ("a http://x alg=HS256", "has \"HS256\", which is not an algorithm of public keys such as RS256"),
      ("a http://x alg=", "has \"\", which is not an algorithm of public keys such as RS256"),
      ("a http://x,a http://y", "names \"a\" twice"),
    ])
  func refused(_ text: String, _ complaint: String) {
    #expect(throws: BadValue(complaint)) { try Kind.tokenIssuers.read(.text(text)) }
  }

  @Test("At most 64")
  func count() throws {
    func text(_ count: Int) -> String { (0..<count).map { "i\($0) http://x" }.joined(separator: ",") }
    for count in [63, 64] { #expect(try Kind.tokenIssuers.read(.text(text(count))).count == count) }
    #expect(throws: BadValue("has more than 64 issuers")) { try Kind.tokenIssuers.read(.text(text(65))) }
  }
}
