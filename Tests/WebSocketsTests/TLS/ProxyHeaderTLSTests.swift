import TestCertificates
import Testing
import WebSockets

/// A PROXY protocol header before TLS, as a TCP load balancer in front of `wss://` sends it.
@Suite(.timeLimit(.minutes(5))) struct ProxyHeaderTLSTests {
  private static let version1 = Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".utf8)
  private static let version2: [UInt8] =
    Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 12]
    + [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB]
  private static let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

  /// Answers each request with the addresses that the application sees.
  private func serve(
    _ setting: ProxyProtocolSetting, trusting range: String = "127.0.0.0/8"
  ) async throws -> (server: HTTPServer, counters: ServerCounters) {
    let own = TestCertificate("server")
    var options = HTTPServerOptions()
    options.tls = try TLSServerContext(
      TLSServerOptions(certificates: [TLSCertificate(chain: own.certificate, key: own.key)]))
    options.listener.proxyProtocol = setting
    options.trustedProxies = [AddressRange(range)].compactMap { $0 }
    let server = try await WebSocketServer(port: 0, httpOptions: options).start { request in
      .respond(.text(.ok, "\(request.clientAddress) \(request.peerAddress) \(request.isSecure)"))
    }
    return (server, options.counters)
  }

  private func value(_ name: String, _ counters: ServerCounters) -> UInt64? {
    counters.values.first { $0.name == name }.map { UInt64($0.value) }
  }

  @Test(arguments: [ProxyProtocolSetting.required, .optional], [version1, version2])
  func theApplicationSeesTheClient(_ setting: ProxyProtocolSetting, header: [UInt8]) async throws {
    let (server, counters) = try await serve(setting)
    let raw = try #require(RawClient(port: server.port))
    raw.send(header)
    let client = try #require(RawTLSClient(over: raw))
    client.send(Self.request)
    #expect(client.receiveText().hasSuffix("\r\n\r\n192.0.2.7:56324 192.0.2.7:56324 true"))
    #expect(value("proxy_headers_refused", counters) == 0 && value("tls_handshakes", counters) == 1)
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func whereItMustNotBeMissing() async throws {
    let (server, counters) = try await serve(.required)
    let raw = try #require(RawClient(port: server.port))
    #expect(RawTLSClient(over: raw) == nil)
    #expect(value("proxy_headers_refused", counters) == 1)
    #expect(value("tls_handshakes", counters) == 0 && value("tls_failed", counters) == 0)
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test func whereItMayBeMissing() async throws {
    let (server, _) = try await serve(.optional)
    let raw = try #require(RawClient(port: server.port))
    let client = try #require(RawTLSClient(over: raw))
    client.send(Self.request)
    #expect(client.receiveText().contains("\r\n\r\n127.0.0.1:"))
    await server.shutdown(graceMilliseconds: 0)
  }

  @Test(arguments: [version1, version2])
  func strangersAreRefused(header: [UInt8]) async throws {
    let (server, counters) = try await serve(.required, trusting: "10.0.0.0/8")
    let raw = try #require(RawClient(port: server.port))
    raw.send(header)
    #expect(RawTLSClient(over: raw) == nil)
    #expect(value("proxy_headers_refused", counters) == 1)
    await server.shutdown(graceMilliseconds: 0)
  }
}
