import EventLoops
import TestCertificates
import Testing

@testable import Transport

private let (aes128, aes256) = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
private let chacha = "TLS_CHACHA20_POLY1305_SHA256"
private let oldChaCha = "ECDHE-ECDSA-CHACHA20-POLY1305"
private let (old128, old256) = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")

@Suite struct TLSCipherTests {
  /// What a connection gets; nil if there is none.
  private func agreed(
    _ offered: [String], _ taken: [String] = [], certificate: TestCertificate = Authority.server
  ) throws -> String? {
    var options = TLSServerOptions(certificates: [certificate.tls])
    options.ciphers = taken
    let house = try TLSHouse(options)
    var client = TLSClientOptions(verification: .authorities(file: Authority.file))
    client.ciphers = offered
    try house.connect(client)
    if house.error == nil { return house.connection?.tlsDescription?.cipher }
    #expect(house.count("tls_failed") == 1 && house.server.events.isEmpty)
    return nil
  }

  @Test("the server's order decides, and a client that wants ChaCha20 most gets it")
  func byDefault() throws {
    for (offered, expected) in [
      ([], aes128),
      ([aes256, chacha, aes128], aes128), ([aes256, aes128], aes128), ([aes256, chacha], aes256),
      ([aes256], aes256), ([chacha], chacha), ([chacha, aes128, aes256], chacha),
      // TLS 1.2 alone.
      ([old256, oldChaCha, old128], old128), ([old256, oldChaCha], old256), ([oldChaCha, old128], oldChaCha),
      // A client that knows both versions.
      ([old128, aes256], aes256), ([oldChaCha, chacha], chacha),
    ] as [([String], String)] {
      #expect(try agreed(offered) == expected, "\(offered)")
    }
  }

  @Test("no CBC, no key exchange without ephemeral keys, nothing for another kind of certificate")
  func refused() throws {
    let rsa = TestCertificate("rsa", ["DNS:server.example"], issuer: Authority.root, isRSA: true)
    for cipher in [
      "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "AES128-SHA",
      "DHE-RSA-AES128-GCM-SHA256", old128,
    ] {
      #expect(try agreed([cipher], certificate: rsa) == nil, "\(cipher)")
    }
    for cipher in [
      "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
    ] {
      #expect(try agreed([cipher], certificate: rsa) == cipher)
    }
    #expect(try agreed(["ECDHE-ECDSA-AES128-SHA256"]) == nil)
    // Whoever has old devices can name what they speak.
    #expect(try agreed(["AES128-GCM-SHA256"], ["AES128-GCM-SHA256"], certificate: rsa) == "AES128-GCM-SHA256")
  }

  @Test func theSettingsOrderDecides() throws {
    #expect(try agreed([], [chacha, aes256]) == chacha)
    #expect(try agreed([aes128, aes256], [aes256, aes128]) == aes256)
    #expect(try agreed([aes128], [aes256, old128]) == nil)
    // As IANA spells it.
    #expect(try agreed([], ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]) == old256)
    // A version without a cipher is not spoken.
    #expect(try agreed([old128], [aes128]) == nil)
    #expect(try agreed([aes128], [old128]) == nil)
  }

  @Test func whatCannotBeTakenIsSaid() throws {
    func message(_ names: [String], _ version: TLSVersion = .v12) -> String? {
      do throws(TransportError) {
        var options = TLSServerOptions(certificates: [Authority.server.tls], ciphers: names)
        options.minimumVersion = version
        _ = try TLSServerContext(options)
        return nil
      } catch {
        #expect(error.code == .invalidTLSOptions)
        return error.message
      }
    }
    #expect(message([aes128, old128]) == nil)
    for name in [
      "AES", "", "NULL-SHA256", "ADH-AES128-GCM-SHA256", "DES-CBC3-SHA", "ALL", "aes128:\(aes128)",
    ] {
      #expect(
        message([aes128, name])
          == "“\(name)” is not a cipher that OpenSSL offers here (openssl ciphers -s -v).")
    }
    #expect(message([old128], .v13) == "None of the ciphers is for the versions of TLS that are spoken.")
    #expect(throws: TransportError.self) { try TLSClientContext(TLSClientOptions(ciphers: ["AES"])) }
  }
}
