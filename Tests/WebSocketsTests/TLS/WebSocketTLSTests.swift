import Glibc
import TestCertificates
import Testing
import WebSockets

/// A file that is gone when the suite's process ends, or by the system's own tidying.
private func file(_ bytes: [UInt8]) -> String {
  var path = Array("/tmp/martlet-test-XXXXXX".utf8CString)
  let descriptor = mkstemp(&path)
  _ = write(descriptor, bytes, bytes.count)
  close(descriptor)
  return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The library against itself over TLS, on real sockets.
@Suite(.timeLimit(.minutes(5))) final class WebSocketTLSTests {
  private let root = TestCertificate("Test Authority", isAuthority: true)
  private let authorities: String

  init() { authorities = file(root.certificate) }

  deinit { unlink(authorities) }

  private var trusting: WebSocketClientOptions {
    WebSocketClientOptions(tls: TLSClientOptions(verification: .authorities(file: authorities)))
  }

  private func serve(
    _ driver: EventLoopDriver, clients: TLSClientCertificates = .notAsked,
    origins: OriginPolicy = .sameOrigin,
    _ route: @escaping WebSocketServer.Route
  ) async throws -> (server: HTTPServer, url: String, counters: ServerCounters) {
    let own = TestCertificate("server", ["DNS:localhost"], issuer: root)
    var tls = TLSServerOptions(certificates: [TLSCertificate(chain: own.certificate, key: own.key)])
    tls.clientCertificates = clients
    var options = HTTPServerOptions()
    options.tls = try TLSServerContext(tls)
    let server = try await WebSocketServer(
      port: 0, httpOptions: options, origins: origins, group: .shared(driver)
    ).start(route)
    return (server, "wss://localhost:\(server.port)/echo", options.counters)
  }

  private let echo: WebSocketServer.Route = { _ in
    .accept { socket in
      for try await message in socket { try await socket.send(message) }
    }
  }

  @Test(arguments: drivers)
  func echoesLargeAndSmall(driver: EventLoopDriver) async throws {
    let (server, url, counters) = try await serve(driver, echo)
    let sent: [WebSocketMessage] = [
      .text("hello"), .binary([UInt8](repeating: 7, count: 1_000_000)), .text("häßlich 🐦"),
    ]
    for _ in 0..<2 {
      let received = try await WebSocket.connect(to: url, options: trusting) { socket in
        var received: [WebSocketMessage] = []
        for message in sent {
          try await socket.send(message)
          for try await message in socket {
            received.append(message)
            break
          }
        }
        return received
      }
      #expect(received == sent)
    }
    let values = Dictionary(uniqueKeysWithValues: counters.values.map { ($0.name, $0.value) })
    #expect(values["tls_handshakes"] == 2 && values["tls_resumed"] == 1)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func aCertificateThatIsNotTrustedIsSaid(driver: EventLoopDriver) async throws {
    let (server, url, counters) = try await serve(driver, echo)
    let error = await #expect(throws: WebSocketError.self) { try await WebSocket.connect(to: url) }
    #expect(error?.code == .tlsFailed)
    #expect((error?.cause as? TransportError)?.code == .certificateRejected)
    let other = "wss://127.0.0.1:\(server.port)/"
    let mismatch = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: other, options: trusting)
    }
    #expect(mismatch?.message == "The server's certificate is not for 127.0.0.1:\(server.port).")
    let insecure = WebSocketClientOptions(tls: TLSClientOptions(verification: .none))
    try await WebSocket.connect(to: other, options: insecure) { try await $0.send("x") }
    // The server may hear of the last refusal after the client knows.
    while counters.values.first(where: { $0.name == "tls_failed" })?.value == 1 { await Task.yield() }
    #expect(counters.values.first { $0.name == "tls_failed" }?.value == 2)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func plainAndTLSDoNotMix(driver: EventLoopDriver) async throws {
    let (server, _, _) = try await serve(driver, echo)
    let plain = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: "ws://localhost:\(server.port)/")
    }
    #expect(plain?.code == .handshakeFailed)
    await server.shutdown()
    let other = try await WebSocketServer(port: 0).start(echo)
    let secure = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: "wss://localhost:\(other.port)/", options: trusting)
    }
    #expect(secure?.code == .tlsFailed)
    await other.shutdown()
  }

  @Test(arguments: drivers)
  func theOriginsSchemeIsHTTPS(driver: EventLoopDriver) async throws {
    let (server, url, _) = try await serve(driver, echo)
    var options = trusting
    options.origin = "https://localhost:\(server.port)"
    try await WebSocket.connect(to: url, options: options) { try await $0.send("x") }
    options.origin = "http://localhost:\(server.port)"
    let error = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: url, options: options)
    }
    #expect(error?.status?.code == 403)
    await server.shutdown()
  }

  @Test(arguments: drivers)
  func routesSeeTheClientsCertificate(driver: EventLoopDriver) async throws {
    let required = TLSClientCertificates.required(authoritiesFile: authorities)
    let (server, url, _) = try await serve(driver, clients: required) { request in
      let subject = request.clientCertificate?.subject ?? "nobody"
      return .accept { try await $0.send("\(subject) \(request.isSecure)") }
    }
    let device = TestCertificate("device-17", issuer: root)
    var options = trusting
    options.tls.certificate = TLSCertificate(chain: device.certificate, key: device.key)
    let first = try await WebSocket.connect(to: url, options: options) { socket in
      for try await message in socket { return message }
      return .text("")
    }
    #expect(first == .text("CN=device-17 true"))
    let error = await #expect(throws: WebSocketError.self) {
      try await WebSocket.connect(to: url, options: trusting)
    }
    #expect(error?.message.contains("certificate required") == true)
    await server.shutdown()
  }
}
