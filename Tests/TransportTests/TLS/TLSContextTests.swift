import EventLoops
import Glibc
import TestCertificates
import Testing

@testable import Transport

private func replace(_ path: String, _ bytes: [UInt8]) {
  guard let file = fopen(path, "w") else { return }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

@Suite struct TLSContextTests {
  private func message(_ certificate: TLSCertificate) -> String? {
    do throws(TransportError) {
      _ = try TLSServerContext(TLSServerOptions(certificates: [certificate]))
      return nil
    } catch {
      #expect(error.code == .invalidTLSOptions)
      return error.message
    }
  }

  @Test func whatIsWrongWithFilesIsSaid() throws {
    let own = TestCertificate("own")
    let (chain, key) = (temporaryFile(own.certificate), temporaryFile(own.key))
    #expect(message(TLSCertificate(chainFile: chain, keyFile: key)) == nil)
    #expect(
      message(TLSCertificate(chainFile: "/no/such.pem", keyFile: key))
        == "Cannot read the certificate file /no/such.pem: ENOENT (No such file or directory).")
    #expect(
      message(TLSCertificate(chainFile: chain, keyFile: "/no/such.key"))
        == "Cannot read the key file /no/such.key: ENOENT (No such file or directory).")
    #expect(message(TLSCertificate(chainFile: "/", keyFile: key))?.contains("EISDIR") == true)
    #expect(
      message(TLSCertificate(chainFile: key, keyFile: key))
        == "\(key) is not a certificate in PEM: it has no “BEGIN CERTIFICATE”.")
    #expect(
      message(TLSCertificate(chainFile: chain, keyFile: chain))?.contains("is not a private key in PEM")
        == true)
    let other = temporaryFile(TestCertificate("other").key)
    #expect(
      message(TLSCertificate(chainFile: chain, keyFile: other))
        == "The key of \(other) is not the one of the first certificate of \(chain).")
    let encrypted = temporaryFile(own.encryptedKey)
    #expect(
      message(TLSCertificate(chainFile: chain, keyFile: encrypted))?.contains("is encrypted; decrypt it")
        == true)
    let broken = temporaryFile(Array(own.certificate.dropLast(60)))
    #expect(
      message(TLSCertificate(chainFile: broken, keyFile: key))?.contains("is not a certificate") == true)
    let mangled = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
    #expect(message(TLSCertificate(chain: mangled, key: own.key))?.contains("is not a certificate") == true)
    #expect(message(TLSCertificate(chain: own.certificate + mangled, key: own.key)) != nil)
    #expect(message(TLSCertificate(chain: [], key: []))?.contains("is not a certificate") == true)
    #expect(throws: TransportError.self) { _ = try TLSServerContext(TLSServerOptions(certificates: [])) }
  }

  @Test(arguments: [1 << 20, (1 << 20) + 1])
  func theSizeOfAFile(count: Int) throws {
    let own = TestCertificate("own")
    let padded = own.certificate + Array(repeating: 10, count: count - own.certificate.count)
    let found = message(TLSCertificate(chainFile: temporaryFile(padded), keyFile: temporaryFile(own.key)))
    #expect(found.map { $0.contains("more than 1 MiB") } == (count > 1 << 20 ? true : nil))
  }

  @Test func authoritiesThatCannotBeRead() throws {
    let junk = temporaryFile([1, 2, 3])
    for file in ["/no/such.pem", junk] {
      #expect(throws: TransportError.self) {
        _ = try TLSClientContext(TLSClientOptions(verification: .authorities(file: file)))
      }
      var options = TLSServerOptions(certificates: [Authority.server.tls])
      options.clientCertificates = .required(authoritiesFile: file)
      #expect(throws: TransportError.self) { _ = try TLSServerContext(options) }
    }
  }

  @Test func reloadTakesAllOrNothing() throws {
    let (first, second) = (TestCertificate("first"), TestCertificate("second"))
    let (chain, key) = (temporaryFile(first.certificate), temporaryFile(first.key))
    let house = try TLSHouse(
      TLSServerOptions(certificates: [TLSCertificate(chainFile: chain, keyFile: key)]))
    let insecure = TLSClientOptions(verification: .none)
    try house.connect(insecure)
    let old = try #require(house.connection)
    let oldServer = house.server
    #expect(old.peerCertificate?.subject == "CN=first")

    // Half of a renewal.
    replace(chain, second.certificate)
    #expect(throws: TransportError.self) { try house.context.reload() }
    try house.connect(insecure)
    #expect(house.connection?.peerCertificate?.subject == "CN=first")

    replace(key, second.key)
    try house.context.reload()
    try house.connect(insecure)
    #expect(house.connection?.peerCertificate?.subject == "CN=second")
    // What was there goes on.
    old.write([1, 2, 3])
    house.network.runUntilIdle()
    #expect(oldServer.bytes == [1, 2, 3])
  }
}
