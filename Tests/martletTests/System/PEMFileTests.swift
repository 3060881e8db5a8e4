import Glibc
import Testing

@testable import martlet

@Suite("Certificates without a key") struct PEMFileTests {
  private func file(_ text: String) throws -> String {
    let path = "/tmp/martlet-\(UniqueIdentifier.make()).pem"
    try TextFile.write(text, to: path)
    return path
  }

  private let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
  private let key = "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n"

  @Test("The missing flag is named")
  func named() throws {
    let path = try file(certificate)
    defer { unlink(path) }
    #expect(
      throws: Problem.usage("\"\(path)\" has no private key: --tls-key (tls.keys) names the file that has it")
    ) { try ServerTLS.context(ServerTLS.Settings(certificates: [path])) }
    let words = ["--tls-certificate", path]
    let arguments = try Arguments(words, for: DevicesCommand.description, environment: [:])
    #expect(throws: Problem.usage("\"\(path)\" has no private key: --tls-key names the file that has it")) {
      try ClientTLS.options(arguments)
    }
  }

  @Test("A file with both, with neither, or that cannot be read, is for others to judge")
  func others() throws {
    for text in [certificate + key, key, "nonsense"] {
      let path = try file(text)
      defer { unlink(path) }
      #expect(!PEMFile.lacksKey(path))
    }
    #expect(!PEMFile.lacksKey("/no/such.pem"))
  }
}
