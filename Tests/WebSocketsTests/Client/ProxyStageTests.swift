import CLinux
import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct ProxyStageTests {
  private let client = SimulatedClient()
  private let proxy = SocketAddress.loopback(port: 3_128)
  private var options = WebSocketClientOptions(proxy: .url("http://127.0.0.1:3128"))

  init() { client.listen(proxy) }

  @Test func tunnelThenHandshake() throws {
    client.connect("ws://nowhere.example/chat", options)
    #expect(client.received() == "CONNECT nowhere.example:80 HTTP/1.1\r\nHost: nowhere.example:80\r\n\r\n")
    client.send("HTTP/1.1 200 OK\r\n\r\n")
    let request = client.received()
    #expect(request.hasPrefix("GET /chat HTTP/1.1\r\nHost: nowhere.example\r\n"))
    client.send(switching(request))
    #expect(client.isOpen && client.results.count == 1)
    client.send([0x81, 2, 0x68, 0x69])
    #expect(client.handler.events == ["opened", "hi"])
  }

  @Test func socks() throws {
    var options = options
    options.proxy = .url("socks5://127.0.0.1:3128")
    client.connect("ws://nowhere.example:81/", options)
    #expect(client.peers.last?.takeReceived() == [5, 1, 0])
    client.send([5, 0])
    #expect(client.peers.last?.takeReceived() == [5, 1, 0, 3, 15] + Array("nowhere.example".utf8) + [0, 81])
    client.send([5, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    client.send(switching(client.received()))
    #expect(client.isOpen)
  }

  /// A server may answer before it is asked, in the same bytes as the proxy's own answer.
  @Test func whatFollowsTheAnswerIsNotLost() {
    client.connect("ws://nowhere.example/", options)
    client.send("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    #expect(client.error?.code == .handshakeFailed && client.error?.status?.code == 404)
  }

  /// In TLS the client speaks first: whatever is there already is not the server's.
  @Test func nothingComesBeforeTLS() {
    client.connect("wss://nowhere.example/", options)
    #expect(client.received().hasPrefix("CONNECT nowhere.example:443 HTTP/1.1\r\n"))
    client.send("HTTP/1.1 200 OK\r\n\r\nx")
    #expect(
      client.error?.code == .proxyFailed && client.error?.message.hasSuffix("behind its answer.") == true)
    #expect(client.peers[0].error == ECONNRESET)
    let other = SimulatedClient()
    other.listen(proxy)
    other.connect("wss://nowhere.example/", options)
    _ = other.received()
    other.send("HTTP/1.1 200 OK\r\n\r\n")
    // RFC 8446 §5.1: a handshake record.
    #expect(other.peers[0].takeReceived().first == 22 && other.results.isEmpty)
  }

  @Test func aProxyOverTLS() {
    client.connect("ws://nowhere.example/", WebSocketClientOptions(proxy: .url("https://127.0.0.1:3128")))
    #expect(client.peers[0].takeReceived().first == 22)
    client.peers[0].end()
    client.network.runUntilIdle()
    #expect(client.error?.code == .tlsFailed)
  }

  @Test func refusalsHaveTheStatus() {
    client.connect("ws://nowhere.example/", options)
    client.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    #expect(client.error?.code == .proxyFailed && client.error?.status?.code == 407)
    #expect(client.error?.message.hasPrefix("The proxy http://127.0.0.1:3128 wants a user name") == true)
    #expect(client.peers[0].error == ECONNRESET && client.results.count == 1)
  }

  @Test func theEndComesEarly() {
    client.connect("ws://nowhere.example/", options)
    client.send("HTTP/1.1 200 OK\r\n")
    client.peers[0].end()
    client.network.runUntilIdle()
    #expect(client.error?.message.hasSuffix("ended the connection before it answered.") == true)
    client.connect("ws://nowhere.example/", options)
    client.peers[1].reset()
    client.network.runUntilIdle()
    #expect(client.results.count == 2)
  }

  @Test func oneDeadlineForTCPAndProxy() {
    var options = options
    options.connectTimeoutMilliseconds = 500
    client.connect("ws://nowhere.example/", options)
    client.network.advance(milliseconds: 499)
    #expect(client.results.isEmpty)
    client.network.advance(milliseconds: 1)
    #expect(client.error?.code == .proxyFailed && client.error?.message.hasSuffix("in time.") == true)
  }

  @Test func noProxyThere() {
    client.network.connectScripts[proxy] = nil
    client.connect("ws://nowhere.example/", options)
    #expect(client.error?.code == .proxyFailed)
    #expect((client.error?.cause as? TransportError)?.code == .refused)
  }

  @Test func unusableSettings() {
    let client = SimulatedClient()
    client.connect("ws://nowhere.example/", WebSocketClientOptions(proxy: .url("gopher://x")))
    #expect(client.error?.code == .invalidProxy && client.peers.isEmpty)
  }

  @Test(arguments: 0...3) func cancelledInAnyStage(_ stage: Int) {
    if stage == 0 { client.network.connectScripts[proxy] = .silent }
    client.connect("ws://nowhere.example/", options)
    if stage > 1 { client.send("HTTP/1.1 200 OK\r\n\r\n") }
    if stage > 2 { client.send(switching(client.received())) }
    client.attempt?.cancel()
    client.network.runUntilIdle()
    #expect(client.results.count == 1)
    #expect(client.isOpen == (stage == 3))
    #expect(client.error?.code == (stage == 3 ? nil : .cancelled))
    if stage == 1 || stage == 2 { #expect(client.peers[0].error == ECONNRESET) }
    client.network.advance(milliseconds: 100_000)
    #expect(client.results.count == 1)
  }
}
