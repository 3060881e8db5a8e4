import HTTPCore
import Testing

@Suite struct WebURLTests {
  @Test(arguments: [
    ("ws://a", "a", 80, "/", "a"), ("wss://a", "a", 443, "/", "a"),
    ("WS://a:8080/p?q", "a", 8_080, "/p?q", "a:8080"),
    ("ws://a?q=/", "a", 80, "/?q=/", "a"), ("ws://[::1]:9/x", "::1", 9, "/x", "[::1]:9"),
    ("wss://[2001:db8::1]", "2001:db8::1", 443, "/", "[2001:db8::1]"), ("wss://a:80/", "a", 80, "/", "a:80"),
    ("ws://a:80", "a", 80, "/", "a"), ("ws://a:65535", "a", 65_535, "/", "a:65535"),
  ])
  func parses(_ text: String, _ host: String, _ port: Int, _ target: String, _ authority: String) throws {
    let url = try WebURL(text)
    #expect(url.host == host)
    #expect(url.port == port)
    #expect(url.target == target)
    #expect(url.authority == authority)
    #expect(url.userInfo == nil)
  }

  @Test func userInfoIsNoPartOfTheHost() throws {
    let url = try WebURL("wss://u:p@h:1/a@b")
    #expect(url.userInfo == "u:p")
    #expect(url.host == "h")
    #expect(url.port == 1)
    #expect(url.target == "/a@b")
    #expect(url.isSecure)
    #expect(url.description == "wss://h:1/a@b")
  }

  @Test(arguments: [
    "", "a", "ws:a", "ws:/a", "ws://", "ws:///p", "ws://:80", "ws://u@", "http://a", "ftp://a", "://a",
    "ws://a#f",
    "ws://a/#", "ws://a b", "ws://a\r\nX: y", "ws://é", "ws://a:", "ws://a:0", "ws://a:65536", "ws://a:-1",
    "ws://a:+1",
    "ws://a:x", "ws://a:80:80", "ws://a:99999999999999999999", "ws://[::1", "ws://[]", "ws://[a]",
    "ws://[::1]x",
    "ws://[::1]:", "ws://::1", "ws://a\\b", "ws://a^b", "ws://a,b", "ws://a<b",
    // A browser would go to the first host, a strict reader of RFC 3986 to the second.
    "ws://a\\@b", "ws://a[@b", "ws://a<@b", "ws://a@b@c", "ws://@@c",
  ])
  func refuses(_ text: String) {
    #expect(throws: WebURLError.self) { try WebURL(text) }
  }

  @Test func otherSchemesAreTakenWhenAskedFor() throws {
    #expect(try WebURL("https://a", schemes: ["http", "https"]).port == 443)
    #expect(throws: WebURLError.self) { try WebURL("ws://a", schemes: ["http"]) }
  }
}
