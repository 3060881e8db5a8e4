import Testing

@testable import martlet

@Suite("Origins in the configuration") struct WebOriginTests {
  @Test(
    "What browsers send is taken",
    arguments: [
      "https://example.com", "HTTPS://Example.com", "http://example.com:8080", "https://example.com:80",
      "https://[2001:db8::1]:8443", "https://[::1]", "https://xn--bcher-kva.example", "app://desktop",
      "chrome-extension://abc", "http://127.0.0.1:1", "https://a.example:65535", "null", "file://",
    ])
  func taken(text: String) {
    #expect(WebOrigin.isOne(text))
    #expect(complaints([text]) == [])
  }

  @Test(
    "What no browser sends is refused, and what was meant is said",
    arguments: [
      ("example.com", "https://example.com"), ("https://example.com/", "https://example.com"),
      ("http://example.com/app?x#y", "http://example.com"), ("example.com:8443/", "https://example.com:8443"),
      ("https://example.com:443", "https://example.com"), ("http://example.com:80", "http://example.com"),
      ("https://example.com:", "https://example.com"), ("https://[::1]/", "https://[::1]"),
      ("localhost:3000", "http://localhost:3000"), ("127.0.0.1", "http://127.0.0.1"),
      ("[::1]:8080/", "http://[::1]:8080"), ("localhost.example:3000", "https://localhost.example:3000"),
      ("", nil), ("https://", nil), ("https://*.example.com", nil), ("https://bücher.example", nil),
      ("https://a b", nil), ("https://user@example.com", nil), ("https://example.com:65536", nil),
      ("https://example.com:0", nil), ("https://example.com:08080", nil), ("https://[::1", nil),
      ("https://[]", nil), ("1s://example.com", nil), ("://example.com", nil), ("*.example.com", nil),
    ])
  func refused(text: String, meant: String?) {
    #expect(!WebOrigin.isOne(text))
    #expect(WebOrigin.suggestion(for: text) == meant)
    let complaint =
      "allowed_origins: \"\(text)\" is not what browsers send, scheme://host or scheme://host:port"
    #expect(complaints([text]) == [complaint + (meant.map { "; write \"\($0)\"" } ?? "")])
  }

  @Test("Any origin stands alone")
  func any() {
    #expect(complaints(["*"]) == [])
    #expect(complaints(["*", "https://a.example"]).count == 1)
  }

  private func complaints(_ origins: [String]) -> [String] {
    var configuration = ServerConfiguration()
    configuration.allowedOrigins = origins
    return configuration.contradictions
  }
}
