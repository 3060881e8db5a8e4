import HTTPCore
import Testing

@Suite struct WebURLReferenceTests {
  /// RFC 3986 §5.4, as far as a URL with a host is concerned; fragments are left out.
  @Test(
    arguments: [
      ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"),
      ("g?y", "/b/c/g?y"), ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), ("g?y#s", "/b/c/g?y"), (";x", "/b/c/;x"),
      ("g;x", "/b/c/g;x"), ("", "/b/c/d;p?q"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"),
      ("../", "/b/"),
      ("../g", "/b/g"), ("../..", "/"), ("../../", "/"), ("../../g", "/g"), ("../../../g", "/g"),
      ("../../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"), ("g.", "/b/c/g."), (".g", "/b/c/.g"),
      ("g..", "/b/c/g.."), ("..g", "/b/c/..g"), ("./../g", "/b/g"), ("./g/.", "/b/c/g/"),
      ("g/./h", "/b/c/g/h"), ("g/../h", "/b/c/h"), ("g;x=1/./y", "/b/c/g;x=1/y"), ("g;x=1/../y", "/b/c/y"),
      ("g?y/./x", "/b/c/g?y/./x"), ("g?y/../x", "/b/c/g?y/../x"), ("g?a:b", "/b/c/g?a:b"), ("/a//b", "/a//b"),
    ])
  func resolvesPaths(_ reference: String, _ target: String) throws {
    let url = try WebURL("ws://u:p@a:81/b/c/d;p?q").resolving(reference)
    #expect(url.target == target)
    #expect(url.host == "a" && url.port == 81 && url.scheme == "ws" && url.userInfo == "u:p")
  }

  @Test(
    arguments: [
      ("//g", "wss://g/"), ("//g:1/x", "wss://g:1/x"), ("http://h/x", "http://h/x"), ("WS://h", "ws://h/"),
      ("https://[::1]:8/x#y", "https://[::1]:8/x"),
    ])
  func resolvesWholeURLs(_ reference: String, _ expected: String) throws {
    let url = try WebURL("wss://u@a/b").resolving(reference)
    #expect(url.description == expected && url.userInfo == nil)
  }

  @Test(arguments: [
    "ftp://h/", "javascript:alert(1)", "http:g", "g:h", "//", "http://", "/a b", "/é", "//h:0",
  ])
  func refuses(_ reference: String) throws {
    let base = try WebURL("ws://a/b")
    #expect(throws: WebURLError.self) { try base.resolving(reference) }
  }

  @Test func origins() throws {
    let url = try WebURL("ws://a/b")
    for same in ["ws://A:80/c", "http://a/"] {
      #expect(try WebURL(same, schemes: ["ws", "http"]).isSameOrigin(as: url))
    }
    for other in ["wss://a/b", "ws://a:81/b", "ws://b/b", "wss://a:80/b"] {
      #expect(try !WebURL(other).isSameOrigin(as: url))
    }
    #expect(try WebURL("https://a/b", schemes: ["https"]).asWebSocketURL == WebURL("wss://a/b"))
    #expect(try WebURL("http://a/b", schemes: ["http"]).asWebSocketURL == WebURL("ws://a/b"))
    #expect(url.asWebSocketURL == url)
  }
}
