import EventLoops
import TestCertificates
import Testing

@testable import Transport

private func server(_ certificate: TestCertificate) -> TLSServerOptions {
  TLSServerOptions(certificates: [certificate.tls])
}

private let trusting = TLSClientOptions(verification: .authorities(file: Authority.file))

@Suite struct TLSVerificationTests {
  /// What a client says of a server with this certificate.
  private func error(
    _ certificate: TestCertificate, _ options: TLSClientOptions = trusting, host: String = "server.example"
  ) throws -> TransportError? {
    let house = try TLSHouse(server(certificate))
    try house.connect(options, host: host)
    #expect(house.results.count == 1)
    if let error = house.error {
      // The server hears the alert; its handler never heard of the connection.
      #expect(house.server.events.isEmpty && house.count("tls_failed") == 1)
      #expect(house.client.reason == .tlsFailed(error))
    } else {
      #expect(house.server.events == ["connected"])
    }
    return house.error
  }

  @Test(arguments: ["server.example", "SERVER.example", "server.example.", "127.0.0.1"])
  func theNamesOfTheCertificate(host: String) throws {
    #expect(try error(Authority.server, host: host) == nil)
  }

  @Test(arguments: ["other.example", "x.server.example", "example", "127.0.0.2", "[::1]"])
  func anotherHost(host: String) throws {
    let error = try #require(try error(Authority.server, host: host))
    #expect(error.code == .certificateRejected)
    let bare = host == "[::1]" ? "::1" : host
    #expect(error.message == "The server's certificate is not for \(bare):443.")
  }

  @Test func aWildcardIsForOneLabel() throws {
    let wildcard = TestCertificate("w", ["DNS:*.example.org"], issuer: Authority.root)
    #expect(try error(wildcard, host: "a.example.org") == nil)
    #expect(try error(wildcard, host: "a.b.example.org")?.code == .certificateRejected)
    #expect(try error(wildcard, host: "example.org")?.code == .certificateRejected)
    let partial = TestCertificate("w", ["DNS:a*.example.org"], issuer: Authority.root)
    #expect(try error(partial, host: "ab.example.org")?.code == .certificateRejected)
  }

  @Test func expiredAndNotYetValid() throws {
    let old = TestCertificate("old", ["DNS:server.example"], issuer: Authority.root, days: -10...(-1))
    #expect(try error(old)?.message == "The server's certificate has expired.")
    let early = TestCertificate("early", ["DNS:server.example"], issuer: Authority.root, days: 1...10)
    #expect(try error(early)?.message == "The server's certificate is not valid yet; check the clocks.")
  }

  @Test func selfSignedAndOfAnotherAuthority() throws {
    let own = TestCertificate("own", ["DNS:server.example"])
    #expect(try error(own)?.message.contains("is self-signed") == true)
    let stranger = TestCertificate("Stranger", isAuthority: true)
    let issued = TestCertificate("issued", ["DNS:server.example"], issuer: stranger)
    #expect(try error(issued)?.message.contains("has an issuer that is not known here") == true)
    #expect(try error(issued, TLSClientOptions())?.code == .certificateRejected)
  }

  @Test func noVerification() throws {
    let own = TestCertificate("own", ["DNS:server.example"], days: -10...(-1))
    #expect(try error(own, TLSClientOptions(verification: .none), host: "other.example") == nil)
  }

  @Test func pinsSayWhoTheServerIs() throws {
    let own = TestCertificate("own", days: -10...(-1))
    let pin = try #require(TLSPin(own.pin))
    let other = try #require(TLSPin(Array(repeating: 7, count: 32)))
    #expect(try error(own, TLSClientOptions(verification: .pins([other, pin]))) == nil)
    let error = try error(own, TLSClientOptions(verification: .pins([other])))
    #expect(error?.message == "The server's certificate has a key that is not one of those pinned.")
    #expect(TLSPin([1, 2]) == nil)
  }

  @Test func aPinnedCertificateThatIsOnlySentAlongDoesNotHelp() throws {
    let victim = TestCertificate("victim", isAuthority: true)
    let thief = TestCertificate("thief")
    let both = TLSCertificate(chain: thief.certificate + victim.certificate, key: thief.key)
    let house = try TLSHouse(TLSServerOptions(certificates: [both]))
    let pin = try #require(TLSPin(victim.pin))
    try house.connect(TLSClientOptions(verification: .pins([pin])))
    #expect(house.error?.code == .certificateRejected)
  }

  @Test func anIntermediateAuthorityIsSentAlong() throws {
    let middle = TestCertificate("Middle", issuer: Authority.root, isAuthority: true)
    let leaf = TestCertificate("leaf", ["DNS:server.example"], issuer: middle)
    let whole = TLSCertificate(chain: leaf.certificate + middle.certificate, key: leaf.key)
    let house = try TLSHouse(TLSServerOptions(certificates: [whole]))
    try house.connect()
    #expect(house.results.count == 1 && house.error == nil)
    #expect(try error(leaf)?.message.contains("is its chain complete") == true)
  }

  @Test(arguments: ["", "a\0b"])
  func namesThatCannotBeChecked(host: String) throws {
    let house = try TLSHouse()
    try house.connect(host: host)
    #expect(house.error?.code == .invalidTLSOptions)
    #expect(house.client.reason.map { if case .tlsFailed = $0 { true } else { false } } == true)
  }
}
