import EventLoops
import TestCertificates
import Testing

@testable import Transport

private let trusting = TLSClientOptions(verification: .authorities(file: Authority.file))
private let stranger = TestCertificate("Stranger", isAuthority: true)
private let device = TestCertificate("device-17", ["DNS:device-17.example"], issuer: Authority.root)

@Suite struct TLSServerTests {
  // MARK: SNI and ALPN

  @Test(arguments: [
    ("a.example", "a"), ("A.Example", "a"), ("b.example", "b"), ("x.wild.example", "wild"),
    ("exact.wild.example", "exact"), ("y.x.wild.example", "first"), ("unknown.example", "first"),
    ("127.0.0.1", "first"),
  ])
  func theCertificateForAName(host: String, expected: String) throws {
    let names = [
      ("first", ["DNS:first.example"]), ("wild", ["DNS:*.wild.example"]),
      ("exact", ["DNS:exact.wild.example"]), ("a", ["DNS:a.example"]), ("b", []), ("b2", ["DNS:b.example"]),
    ]
    let made = names.map { TestCertificate($0.0 == "b" ? "b.example" : $0.0, $0.1, issuer: Authority.root) }
    let house = try TLSHouse(TLSServerOptions(certificates: made.map(\.tls)))
    try house.connect(TLSClientOptions(verification: .none), host: host)
    let subject = house.connection?.peerCertificate?.subject
    #expect(subject == (expected == "b" ? "CN=b.example" : "CN=\(expected)"))
  }

  @Test func applicationProtocols() throws {
    for (offered, expected) in [
      (["b"], "b"), (["x", "b", "a"], "a"), ([], nil), (["x"], "refused"),
    ] as [([String], String?)] {
      var options = TLSServerOptions(certificates: [Authority.server.tls])
      options.applicationProtocols = ["a", "b"]
      let house = try TLSHouse(options)
      var client = trusting
      client.applicationProtocols = offered
      try house.connect(client)
      if expected == "refused" {
        #expect(house.error?.message.contains("no application protocol") == true)
      } else {
        #expect(house.error == nil && house.connection?.tlsDescription?.applicationProtocol == expected)
      }
    }
    #expect(throws: TransportError.self) {
      var options = TLSServerOptions(certificates: [Authority.server.tls])
      options.applicationProtocols = [""]
      _ = try TLSServerContext(options)
    }
  }

  @Test func theOldestVersion() throws {
    var options = TLSServerOptions(certificates: [Authority.server.tls])
    options.minimumVersion = .v13
    let house = try TLSHouse(options)
    var client = trusting
    client.maximumVersion = .v12
    try house.connect(client)
    #expect(house.error?.message.contains("protocol version") == true && house.count("tls_failed") == 1)
  }

  // MARK: client certificates

  private func mutual(
    _ certificates: TLSClientCertificates, _ certificate: TestCertificate?, _ version: TLSVersion
  ) throws -> TLSHouse {
    var options = TLSServerOptions(certificates: [Authority.server.tls])
    options.clientCertificates = certificates
    let house = try TLSHouse(options)
    var client = trusting
    client.certificate = certificate?.tls
    client.maximumVersion = version
    try house.connect(client)
    return house
  }

  @Test(arguments: [TLSVersion.v12, .v13])
  func clientCertificates(version: TLSVersion) throws {
    let required = TLSClientCertificates.required(authoritiesFile: Authority.file)
    let optional = TLSClientCertificates.optional(authoritiesFile: Authority.file)
    for mode in [required, optional] {
      let house = try mutual(mode, device, version)
      #expect(house.error == nil && house.server.events == ["connected"])
      let peer = try #require(house.serverConnection?.peerCertificate)
      #expect(peer.subject == "CN=device-17" && peer.names == ["device-17.example"])
      #expect(peer.fingerprint.count == 64 && peer.fingerprint.allSatisfy(\.isHexDigit))
    }
    let without = try mutual(optional, nil, version)
    #expect(without.server.events == ["connected"] && without.serverConnection?.peerCertificate == nil)
    let unasked = try mutual(.notAsked, device, version)
    #expect(unasked.server.events == ["connected"] && unasked.serverConnection?.peerCertificate == nil)

    for (mode, certificate, words) in [
      (required, nil, version == .v12 ? "handshake failure" : "certificate required"),
      (required, TestCertificate("d", issuer: stranger), "unknown ca"),
      (optional, TestCertificate("d", issuer: stranger), "unknown ca"),
      (required, TestCertificate("d", issuer: Authority.root, days: -3...(-1)), "certificate expired"),
    ] as [(TLSClientCertificates, TestCertificate?, String)] {
      let house = try mutual(mode, certificate, version)
      #expect(house.server.events.isEmpty && house.count("tls_failed") == 1)
      guard case .tlsFailed(let error)? = house.client.reason else {
        Issue.record("\(String(describing: house.client.reason))")
        continue
      }
      #expect(error.message.contains(words))
    }
  }

  // MARK: limits

  @Test func aSilentClientIsGivenUpAfterTheDeadline() throws {
    let house = try TLSHouse()
    let peer = try #require(house.network.connect(to: house.address))
    peer.send([22, 3, 1])
    house.network.advance(milliseconds: 9_999)
    #expect(house.loop.transport.tls.handshakeCount == 1 && peer.error == 0)
    house.network.advance(milliseconds: 1)
    #expect(house.loop.transport.tls.handshakeCount == 0 && peer.error != 0)
    #expect(house.count("tls_timeouts") == 1 && house.count("tls_failed") == 0 && house.server.events.isEmpty)
  }

  @Test func aClientGivesASilentServerUp() throws {
    let house = try TLSHouse()
    let silent = SocketAddress.loopback(port: 99)
    var kept: SimulatedSocket?
    house.network.connectScripts[silent] = .succeeds { kept = $0 }
    let context = try TLSClientContext(trusting)
    var result: Result<Void, TransportError>?
    Connector.connect(loop: house.loop, to: silent, handler: house.client) {
      try? $0.get().startTLS(client: context, host: "server.example", port: 99) { result = $0 }
    }
    house.network.advance(milliseconds: 9_999)
    #expect(result == nil && kept?.takeReceived().first == 22)
    house.network.advance(milliseconds: 1)
    guard case .failure(let error)? = result else {
      Issue.record("no failure")
      return
    }
    #expect(error.code == .timedOut && house.client.reason == .tlsFailed(error))
  }

  @Test func handshakesUnderWayAreCapped() throws {
    var options = TLSServerOptions(certificates: [Authority.server.tls])
    options.maximumHandshakesPerLoop = 2
    let house = try TLSHouse(options)
    let peers = try (0..<3).map { _ in
      let peer = try #require(house.network.connect(to: house.address))
      house.network.runUntilIdle()
      return peer
    }
    #expect(peers.map { $0.error != 0 } == [false, false, true])
    #expect(house.count("tls_refused") == 1 && house.loop.transport.tls.handshakeCount == 2)
    peers[0].end()
    house.network.runUntilIdle()
    try house.connect()
    #expect(house.server.events == ["connected"] && house.count("tls_failed") == 1)
    // What is under way holds itself until it ends.
    peers[1].end()
    house.network.runUntilIdle()
  }

  @Test func whatIsNotTLSIsRefused() throws {
    for request in ["GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}"] {
      let house = try TLSHouse()
      let peer = try #require(house.network.connect(to: house.address))
      peer.send(Array(request.utf8))
      house.network.runUntilIdle()
      #expect(house.count("tls_failed") == 1 && house.server.events.isEmpty)
      #expect(peer.endReceived)
      house.network.advance(milliseconds: 1_000)
      #expect(house.loop.transport.tls.handshakeCount == 0)
    }
  }

  @Test func abortedAndClosedDuringTheHandshake() throws {
    for isAbort in [false, true] {
      let house = try TLSHouse()
      house.start(try TLSClientContext(trusting))
      while house.connection == nil { house.loop.turn() }
      if isAbort { house.connection?.abort() } else { house.connection?.close() }
      house.network.runUntilIdle()
      #expect(house.error?.code == .tlsFailed && house.client.events.last == "closed")
      #expect(house.server.events.isEmpty && house.loop.transport.tls.handshakeCount == 0)
    }
  }
}
