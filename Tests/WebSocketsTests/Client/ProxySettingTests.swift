import HTTPCore
import Testing

@testable import WebSockets

@Suite struct ProxySettingTests {
  private func proxy(_ url: String, _ environment: [String: String]) throws -> String? {
    try ProxySetting.environment.server(for: try WebURL(url), environment: environment)?.description
  }

  @Test(
    arguments: [
      ("http://p:3128", "http://p:3128", nil), ("p:3128", "http://p:3128", nil),
      ("http://p", "http://p:80", nil),
      ("https://p", "https://p:443", nil), ("socks5://p", "socks5://p:1080", nil),
      ("SOCKS5H://[::1]:9", "socks5://[::1]:9", nil), ("socks://u@p", "socks5://p:1080", "u:"),
      ("http://u:p%40%3A%2F@p:1/", "http://p:1", "u:p@:/"),
      ("socks5://a%3Ab:c@p", "socks5://p:1080", "a:b:c"),
    ] as [(String, String, String?)])
  func urls(_ text: String, _ description: String, _ credentials: String?) throws {
    let server = try ProxyServer(text)
    #expect(server.description == description)
    #expect(server.user.map { "\($0):\(server.password)" } == credentials)
  }

  @Test(arguments: [
    "", "ftp://p", "socks4://p", "http://", "http://p:0", "http://u:%zz@p", "http://a%3Ab:c@p",
    "http://u:%0A@p", "http://p q",
  ])
  func badURLs(_ text: String) {
    #expect(throws: WebSocketError.self) { try ProxyServer(text) }
  }

  @Test func errorsDoNotTellThePassword() throws {
    do {
      _ = try ProxyServer("http://ann:secret@p:99999")
      Issue.record("taken")
    } catch {
      #expect(error.code == .invalidProxy)
      #expect(!error.description.contains("secret") && error.description.contains("http://…@p:99999"))
    }
  }

  @Test func settings() throws {
    let url = try WebURL("ws://a")
    #expect(try ProxySetting.none.server(for: url, environment: ["http_proxy": "p"]) == nil)
    let set = try ProxySetting.url("q:1").server(for: try WebURL("ws://localhost"), environment: [:])
    #expect(set?.description == "http://q:1")
  }

  @Test func eachSchemeHasItsVariable() throws {
    let both = ["http_proxy": "h:1", "https_proxy": "s:1", "all_proxy": "a:1"]
    #expect(try proxy("ws://x", both) == "http://h:1")
    #expect(try proxy("wss://x", both) == "http://s:1")
    #expect(try proxy("wss://x", ["http_proxy": "h:1", "ALL_PROXY": "socks5://a"]) == "socks5://a:1080")
    #expect(try proxy("ws://x", ["https_proxy": "s:1"]) == nil)
    #expect(try proxy("ws://x", ["http_proxy": "", "all_proxy": "a:1"]) == "http://a:1")
    #expect(try proxy("ws://x", ["HTTP_PROXY": "H:1", "http_proxy": "h:1"]) == "http://h:1")
    #expect(try proxy("wss://x", ["HTTPS_PROXY": "H:1"]) == "http://H:1")
    #expect(try proxy("ws://x", [:]) == nil)
  }

  @Test func aCallerOfACGIProgramChoosesNoProxy() throws {
    #expect(try proxy("ws://x", ["HTTP_PROXY": "H:1"]) == "http://H:1")
    #expect(try proxy("ws://x", ["HTTP_PROXY": "H:1", "REQUEST_METHOD": "GET"]) == nil)
    #expect(try proxy("ws://x", ["http_proxy": "h:1", "REQUEST_METHOD": "GET"]) == "http://h:1")
    #expect(try proxy("wss://x", ["HTTPS_PROXY": "H:1", "REQUEST_METHOD": "GET"]) == "http://H:1")
  }

  @Test(arguments: [
    "ws://localhost", "ws://LOCALHOST.", "ws://a.localhost", "ws://127.0.0.1:1", "ws://127.9.9.9",
    "ws://[::1]",
    "ws://[::ffff:127.0.0.1]",
  ])
  func loopbackIsReachedDirectly(_ url: String) throws {
    #expect(try proxy(url, ["http_proxy": "h:1", "all_proxy": "a"]) == nil)
  }

  @Test func aBadVariableIsNamed() throws {
    do {
      _ = try proxy("ws://x", ["HTTP_PROXY": "gopher://h"])
      Issue.record("taken")
    } catch let error as WebSocketError {
      #expect(error.message.hasPrefix("HTTP_PROXY: "))
    }
  }

  @Test(
    arguments: [
      ("*", "x", 80, true), ("a, *", "x", 80, true), ("x", "x", 80, true), ("x", "y.x", 80, true),
      ("x", "yx", 80, false), (".x", "x", 80, true), (".x", "y.x", 80, true), ("*.x", "y.x", 80, true),
      ("X.", "y.x.", 80, true), ("y.x", "x", 80, false), ("x:80", "x", 80, true), ("x:81", "x", 80, false),
      ("a b\tx,,c", "x", 80, true), ("", "x", 80, false), ("10.0.0.1", "10.0.0.1", 80, true),
      ("10.0.0.1:80", "10.0.0.1", 80, true), ("10.0.0.1:81", "10.0.0.1", 80, false),
      ("10.0.0.0/8", "10.255.1.1", 80, true), ("10.0.0.0/8", "11.0.0.0", 80, false),
      ("10.1.2.3/31", "10.1.2.2", 80, true), ("10.1.2.3/32", "10.1.2.2", 80, false),
      ("0.0.0.0/0", "9.9.9.9", 80, true), ("0.0.0.0/0", "fd00::1", 80, false), ("::/0", "fd00::1", 80, true),
      ("fd00::/8", "fdff::1", 80, true), ("fd00::/8", "fe00::1", 80, false),
      ("fd00::1", "fd00:0::1", 80, true),
      ("[fd00::1]:80", "fd00::1", 80, true), ("[fd00::1]:81", "fd00::1", 80, false),
      ("10.0.0.1", "::ffff:10.0.0.1", 80, true), ("0.1", "10.0.0.1", 80, false),
      ("10.0.0.0/33", "10.0.0.0", 80, false),
      ("10.0.0.0/-1", "10.0.0.0", 80, false), ("x/8", "x", 80, false), (".", "x", 80, false),
      ("x:", "x", 80, false),
      ("x:99999999999999999999", "x", 80, false), ("*.", "x", 80, false),
    ] as [(String, String, Int, Bool)])
  func exceptions(_ list: String, _ host: String, _ port: Int, _ isExcepted: Bool) {
    #expect(ProxyExceptions(list).contains(host: host, port: port) == isExcepted)
  }

  @Test func exceptionsHoldForTheEnvironment() throws {
    let variables = ["http_proxy": "h:1", "NO_PROXY": "in.example,10.0.0.0/8"]
    #expect(try proxy("ws://a.in.example", variables) == nil)
    #expect(try proxy("ws://10.1.1.1", variables) == nil)
    #expect(try proxy("ws://out.example", variables) == "http://h:1")
    let lower = variables.merging(["no_proxy": "out.example"]) { $1 }
    #expect(try proxy("ws://out.example", lower) == nil)
    #expect(try proxy("ws://a.in.example", lower) == "http://h:1")
  }
}
