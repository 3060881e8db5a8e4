import Realtime
import Testing

@testable import martlet

@Suite("Configuration of serve") struct ServeConfigurationTests {
  private func configuration(
    _ words: [String], _ environment: [String: String] = [:]
  ) throws -> ServerConfiguration {
    let arguments = try Arguments(words, for: ServeCommand.description, environment: environment)
    return try ServeCommand.configuration(arguments, environment)
  }

  @Test("Flags go over the environment")
  func precedence() throws {
    let environment = ["MARTLET_PORT": "2", "MARTLET_HOST": "::1", "MARTLET_DRAIN_SECONDS": "9"]
    let result = try configuration(["--port", "3", "--drain-seconds", "1"], environment)
    #expect(result.port == 3)
    #expect(result.host == "::1")
    #expect(result.drainMilliseconds == 1_000)
  }

  @Test("Without --demo nothing is open")
  func closed() throws {
    let result = try configuration([])
    #expect(result.namespaces.isEmpty)
    #expect(result.defaultNamespace == nil)
    #expect(result.apiKeys.isEmpty)
    #expect(!result.allowsAnonymous)
  }

  @Test("--demo opens its namespaces and keeps the configuration's keys")
  func demo() throws {
    let result = try configuration(["--demo"])
    #expect(result.namespaces.keys.sorted() == ["chat", "devices", "news"])
    #expect(result.apiKeys == ["demo-key"])
    #expect(result.allowsAnonymous)
    #expect(result.namespaces["devices"]?.historySize == 4_800)
    #expect(result.namespaces["devices"]?.emitsJoinLeave == true)
    #expect(result.namespaces["news"]?.keepsPresence == false)
    #expect(try configuration(["--demo"], ["MARTLET_API_KEYS": "own"]).apiKeys == ["own"])
  }

  @Test("Pages must be a directory, and keys have certificates")
  func refused() {
    #expect(throws: Problem.usage("pages: \"/no/such\" is not a directory")) {
      try configuration(["--pages", "/no/such"])
    }
    #expect(throws: Problem.usage("--tls-key (tls.keys) needs --tls-certificate (tls.certificates)")) {
      try configuration(["--tls-key", "key.pem"])
    }
    #expect(throws: Problem.self) {
      try configuration(["--tls-certificate", "a", "--tls-certificate", "b", "--tls-key", "a"])
    }
    #expect(throws: Problem.self) { try configuration(["--tls-client-ca", "a"]) }
  }

  @Test("TLS from variables, and flags over them")
  func tls() throws {
    let variables = ["MARTLET_TLS_CERTIFICATES": "a.pem,b.pem", "MARTLET_TLS_KEYS": "a.key,b.key"]
    let set = try configuration([], variables).tls
    #expect(set.certificates == ["a.pem", "b.pem"] && set.keys == ["a.key", "b.key"])
    // The variables' keys do not belong to the flag's certificate.
    let given = try configuration(["--tls-certificate", "c.pem"], variables).tls
    #expect(given.certificates == ["c.pem"] && given.keys.isEmpty)
    #expect(set.ciphers.isEmpty)
    #expect(try configuration([], ["MARTLET_TLS_CIPHERS": "A,B"]).tls.ciphers == ["A", "B"])
    #expect(throws: Problem.self) { try configuration([], ["MARTLET_TLS_MINIMUM_VERSION": "1.1"]) }
    #expect(throws: Problem.self) {
      try ServerTLS.context(ServerTLS.Settings(certificates: ["/no/such.pem"]))
    }
  }

  @Test(
    "What serve would refuse at its start is known before",
    arguments: [
      ("{ pages: '/no/such' }", "pages: \"/no/such\" is not a directory"),
      ("{ tls: { certificates: ['/no/such.pem'] } }", "/no/such.pem"),
      ("{ token: { public_keys: ['/no/such.pem'] } }", "/no/such.pem"),
      ("{ token: { jwks_url: 'nonsense' } }", "token.jwks_url"),
      ("{ backend: { connect_url: 'ftp://x' } }", "backend.connect_url"),
      ("{ webhooks: { url: 'nonsense' } }", "webhooks.url"),
      ("{ webhooks: { url: 'http://h/', events: ['conect'] } }", "did you mean connect?"),
    ])
  func refusals(text: String, complaint: String) throws {
    let reader = ConfigurationReader.read(text, fileName: "m.json5")
    #expect(reader.problems == [])
    let refusals = reader.configuration.refusals
    #expect(refusals.count == 1)
    #expect(try #require(refusals.first).contains(complaint))
    #expect(ServerConfiguration().refusals == [])
  }

  @Test("Identifiers are UUIDs and differ")
  func identifiers() {
    let all = (0..<1_000).map { _ in UniqueIdentifier.make() }
    #expect(Set(all).count == all.count)
    let pattern = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
    #expect(all.allSatisfy { $0.wholeMatch(of: pattern) != nil })
  }
}
