import CLinux
import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct RedirectTests {
  private let client = SimulatedClient()
  private let origin = SocketAddress.loopback(port: 80)
  private let other = SocketAddress.loopback(port: 81)

  init() {
    client.listen(origin)
    client.listen(other)
  }

  private func redirect(_ location: String, _ status: Int = 302) {
    client.send("HTTP/1.1 \(status) Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
  }

  @Test(arguments: [301, 302, 303, 307, 308]) func follows(_ status: Int) {
    client.connect("ws://127.0.0.1/old?a", WebSocketClientOptions(subprotocols: ["x"]))
    #expect(client.received().hasPrefix("GET /old?a HTTP/1.1\r\nHost: 127.0.0.1\r\n"))
    redirect("http://127.0.0.1:81/new", status)
    #expect(client.peers.count == 2 && client.peers[0].error == ECONNRESET)
    let request = client.received()
    #expect(request.hasPrefix("GET /new HTTP/1.1\r\nHost: 127.0.0.1:81\r\n"))
    #expect(request.contains("\r\nSec-WebSocket-Protocol: x\r\n"))
    client.send(switching(request))
    #expect(client.isOpen && client.handler.events == ["opened"])
  }

  @Test(arguments: [(300, "/x"), (304, "/x"), (305, "/x"), (302, nil)] as [(Int, String?)])
  func otherResponsesAreRefusals(_ status: Int, _ location: String?) {
    client.connect("ws://127.0.0.1/")
    let field = location.map { "Location: \($0)\r\n" } ?? ""
    client.send("HTTP/1.1 \(status) X\r\n\(field)Content-Length: 0\r\n\r\n")
    #expect(client.error?.code == .handshakeFailed && client.error?.status?.code == status)
  }

  @Test func relativeToTheLastURL() {
    client.connect("ws://127.0.0.1/a/b?c")
    redirect("../d#fragment")
    #expect(client.received().hasPrefix("GET /d HTTP/1.1\r\n"))
    redirect("?q")
    #expect(client.received().hasPrefix("GET /d?q HTTP/1.1\r\n"))
    redirect("//127.0.0.1:81")
    #expect(client.received().hasPrefix("GET / HTTP/1.1\r\nHost: 127.0.0.1:81\r\n"))
  }

  @Test(arguments: [0, 1, 5]) func asManyAsAllowed(_ most: Int) {
    client.connect("ws://127.0.0.1/0", WebSocketClientOptions(maximumRedirects: most))
    for number in 0..<most {
      #expect(client.received().hasPrefix("GET /\(number) "))
      redirect("/\(number + 1)")
    }
    #expect(client.results.isEmpty)
    redirect("/more")
    #expect(client.error?.code == (most == 0 ? .handshakeFailed : .redirectRefused))
    #expect(client.error?.status?.code == 302 && client.error?.responseFields?["Location"] == "/more")
    #expect(client.peers.count == most + 1 && client.results.count == 1)
  }

  @Test func circles() {
    client.connect("ws://127.0.0.1/a")
    redirect("/b")
    redirect("/a")
    #expect(client.error?.code == .redirectRefused)
    #expect(client.error?.message == "The server redirects in a circle, back to ws://127.0.0.1/a.")
  }

  @Test(arguments: ["ftp://h/", "mailto:x", "http://", "/a b", "/\u{E9}", "http://h:99999/"])
  func unusableLocations(_ location: String) {
    client.connect("ws://127.0.0.1/a")
    redirect(location)
    #expect(client.error?.code == .redirectRefused && client.peers.count == 1)
    #expect(client.error?.message.hasPrefix("The server redirects to a URL that cannot be used: ") == true)
  }

  @Test func outOfTLSIsRefused() throws {
    let response = HTTPResponseHead(status: HTTPStatus(code: 302))
    let options = WebSocketClientOptions()
    let request = try ClientRequest(to: "wss://a/", options: options)
    for location in ["http://a/", "ws://a/", "http://a:443/x"] {
      do {
        _ = try request.redirected(by: response, to: location, options: options)
        Issue.record("followed to \(location)")
      } catch { #expect(error.code == .redirectRefused && error.message.contains("not encrypted")) }
    }
    let next = try request.redirected(by: response, to: "https://b/x", options: options)
    #expect(next.url.description == "wss://b/x" && !next.isTrusted)
    // Into TLS is another origin, too.
    let into = try ClientRequest(to: "ws://a/", options: options)
      .redirected(by: response, to: "https://a/", options: options)
    #expect(into.url.description == "wss://a/" && !into.isTrusted)
  }

  private static let secrets = WebSocketClientOptions(
    fields: [
      "Authorization": "Bearer t", "Proxy-Authorization": "p", "Cookie": "a=b", "Host": "virtual.example",
      "X": "y",
    ], cookies: [("c", "d")])

  @Test func theSameOriginGetsEverything() {
    client.connect("ws://127.0.0.1/", Self.secrets)
    redirect("/next")
    let request = client.received()
    for line in ["Authorization: Bearer t", "Cookie: a=b; c=d", "Host: virtual.example", "X: y"] {
      #expect(request.contains("\r\n\(line)\r\n"))
    }
  }

  @Test func anotherOriginGetsNoSecrets() {
    client.connect("ws://127.0.0.1/", Self.secrets)
    redirect("http://127.0.0.1:81/")
    var request = client.received()
    for name in ["authorization", "cookie", "virtual.example"] {
      #expect(!request.lowercased().contains(name))
    }
    #expect(request.contains("\r\nHost: 127.0.0.1:81\r\n") && request.contains("\r\nX: y\r\n"))
    // The next step stays at the other origin, which is not the first for that.
    redirect("/further")
    request = client.received()
    #expect(request.hasPrefix("GET /further ") && !request.lowercased().contains("authorization"))
    #expect(!request.lowercased().contains("cookie") && request.contains("\r\nHost: 127.0.0.1:81\r\n"))
    // Back at the first origin: whoever led there may have chosen the path.
    redirect("http://127.0.0.1/back")
    request = client.received()
    #expect(request.hasPrefix("GET /back ") && !request.lowercased().contains("authorization"))
    #expect(!request.lowercased().contains("cookie"))
  }

  @Test func thePasswordOfTheURL() {
    client.connect("ws://u:p@127.0.0.1/")
    #expect(client.received().contains("\r\nAuthorization: Basic dTpw\r\n"))
    redirect("http://127.0.0.1/next")
    #expect(client.received().contains("\r\nAuthorization: Basic dTpw\r\n"))
    redirect("http://127.0.0.1:81/")
    #expect(!client.received().contains("Authorization"))
  }

  @Test func deadlinesAreForAllRedirectsTogether() {
    client.connect("ws://127.0.0.1/0", WebSocketClientOptions(handshakeTimeoutMilliseconds: 1_000))
    for number in 1...3 {
      client.network.advance(milliseconds: 300)
      redirect("/\(number)")
    }
    client.network.advance(milliseconds: 99)
    #expect(client.results.isEmpty)
    client.network.advance(milliseconds: 1)
    #expect(client.error?.message == "The server did not answer the handshake in time.")
  }

  @Test func cancelledBetween() {
    client.connect("ws://127.0.0.1/")
    client.peers[0].send(Array("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n".utf8))
    client.attempt?.cancel()
    client.network.runUntilIdle()
    #expect(client.error?.code == .cancelled && client.results.count == 1)
  }

  @Test func eachStepChoosesItsProxy() {
    client.listen(.loopback(port: 3_128))
    client.connect("ws://127.0.0.1/", WebSocketClientOptions(proxy: .url("http://127.0.0.1:3128")))
    client.send("HTTP/1.1 200 OK\r\n\r\n")
    redirect("http://elsewhere.example/x")
    let tunnel = client.received()
    #expect(tunnel.hasPrefix("CONNECT elsewhere.example:80 HTTP/1.1\r\n"))
    client.send("HTTP/1.1 200 OK\r\n\r\n")
    client.send(switching(client.received()))
    #expect(client.isOpen && client.peers.count == 2)
  }
}
