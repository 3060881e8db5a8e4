import HTTPCore
import Testing
import WebSockets

@Suite struct OriginPolicyTests {
  private func fields(_ host: String?, _ origins: String...) -> HTTPFields {
    var fields = HTTPFields()
    if let host { fields.append("Host", host) }
    for origin in origins { fields.append("Origin", origin) }
    return fields
  }

  @Test(arguments: [
    ("example.com", "http://example.com", true),
    ("example.com:80", "http://example.com", true),
    ("example.com", "http://example.com:80", true),
    ("EXAMPLE.com", "http://example.COM", true),
    ("localhost:8000", "http://localhost:8000", true),
    ("[::1]:8000", "http://[::1]:8000", true),
    ("localhost:8000", "http://localhost:8001", false),
    ("localhost:8000", "http://localhost", false),
    ("example.com:443", "http://example.com", false),
    ("example.com", "http://example.com.evil.org", false),
    ("example.com", "http://evil-example.com", false),
    ("example.com", "http://sub.example.com", false),
    ("example.com", "ftp://example.com", false),
    ("example.com", "https://example.com", false),
    ("example.com:443", "https://example.com", false),
    ("example.com", "null", false),
    ("example.com", "", false),
    ("example.com", "http://", false),
  ])
  func sameOrigin(host: String, origin: String, isAllowed: Bool) {
    #expect(OriginPolicy.sameOrigin.allows(fields(host, origin)) == isAllowed)
  }

  @Test func programsSendNoOrigin() {
    #expect(OriginPolicy.sameOrigin.allows(fields("example.com")))
    #expect(OriginPolicy.list([]).allows(fields("example.com")))
  }

  @Test func twoOriginsAreRefused() {
    #expect(!OriginPolicy.any.allows(fields("a.org", "http://a.org", "http://a.org")))
    #expect(!OriginPolicy.sameOrigin.allows(fields("a.org", "http://a.org", "http://b.org")))
  }

  @Test func aListIsExact() {
    let policy = OriginPolicy.list(["https://app.example.com", "http://localhost:3000"])
    #expect(policy.allows(fields("api.example.com", "https://app.example.com")))
    #expect(policy.allows(fields("api.example.com", "http://LOCALHOST:3000")))
    #expect(!policy.allows(fields("api.example.com", "http://app.example.com")))
    #expect(!policy.allows(fields("api.example.com", "https://app.example.com:8443")))
    #expect(!policy.allows(fields("api.example.com", "https://api.example.com")))
  }
  @Test("Letters outside ASCII match nothing, though Swift takes the Kelvin sign for a k")
  func otherLettersMatchNothing() {
    #expect("\u{212A}" == "K")
    let policy = OriginPolicy.list(["https://kiwi.example"])
    #expect(policy.allows(fields("api.example.com", "https://KIWI.example")))
    #expect(!policy.allows(fields("api.example.com", "https://\u{212A}iwi.example")))
    #expect(!OriginPolicy.sameOrigin.allows(fields("kiwi.example", "http://\u{212A}iwi.example")))
    #expect(OriginPolicy.any.allows(fields("api.example.com", "https://\u{212A}iwi.example")))
  }
}
