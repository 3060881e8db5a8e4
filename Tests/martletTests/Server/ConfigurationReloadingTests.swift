import EventLoops
import Gateways
import Realtime
import Synchronization
import Testing

@testable import martlet

@Suite("What a new configuration changes") struct ConfigurationReloadingTests {
  private func changes(_ change: (inout ServerConfiguration) -> Void) -> ConfigurationChanges {
    var new = ServerConfiguration()
    change(&new)
    return ConfigurationChanges(from: ServerConfiguration(), to: new)
  }

  @Test("At once, or after a restart, by name")
  func names() {
    let found = changes {
      $0.tokenSecret = "s"
      $0.tokens.publicKeys = ["k.pem"]
      $0.allowedOrigins = ["https://a.example"]
      $0.limits.messageBytes = 1
      $0.limits.connections = 1
      $0.namespaces["n"] = NamespaceOptions()
      $0.log.level = .debug
      $0.log.format = "text"
      $0.port = 1
    }
    #expect(
      found.inForce == [
        "allowed_origins", "token.secret", "token.public_keys", "limits.message_bytes", "log.level",
        "namespaces",
      ])
    #expect(found.waiting == ["port", "limits.connections", "log.format"])
    #expect(changes { _ in }.inForce.isEmpty && changes { _ in }.waiting.isEmpty)
  }

  /// Reads configurations one after the other, and gives what the log says and what was applied.
  private func reload(_ configurations: [ServerConfiguration?]) throws -> (lines: [String], secrets: [String])
  {
    final class Applied: @unchecked Sendable { var secrets: [String] = [] }
    let applied = Applied()
    let log = ServerLog(level: .info, format: .text) {
      0
    } wake: {
    }
    let authority = try ServerAuthority(ServerConfiguration(), loops: [], log: log) { 0 }
    let reloading = ConfigurationReloading(ServerConfiguration(), log: log, tls: nil) {
      (new) throws(Problem) in
      try authority.prepare(new)
    } apply: { new, _, _ in
      applied.secrets.append(new.tokenSecret)
    }
    for configuration in configurations {
      reloading.reload { () throws(Problem) in
        guard let configuration else { throw .usage("martlet.json5:1:1: nonsense\n") }
        return configuration
      }
    }
    let lines = String(decoding: log.take(), as: UTF8.self).split(separator: "\n").map { $0.dropFirst(25) }
    return (lines.map(String.init), applied.secrets)
  }

  @Test("One with a mistake changes nothing, and what waits for a restart is named again")
  func lines() throws {
    var first = ServerConfiguration()
    first.tokenSecret = "one"
    first.loops = 3
    var second = first
    second.tokenSecret = "two"
    var unreadable = second
    unreadable.tokenSecret = "three"
    unreadable.tokens.publicKeys = ["/no/such.pem"]
    let (lines, secrets) = try reload([first, nil, second, unreadable, second])
    #expect(
      lines == [
        "info    the configuration was read again in_force=token.secret needs_restart=loops",
        "error   the configuration has a mistake; the old one stays error=\"martlet.json5:1:1: nonsense\\n\"",
        "info    the configuration was read again in_force=token.secret needs_restart=loops",
        "error   the configuration has a mistake; the old one stays"
          + " error=\"cannot read \\\"/no/such.pem\\\": No such file or directory\"",
        "info    the configuration was read again in_force=\"\" needs_restart=loops",
      ])
    #expect(secrets == ["one", "two", "two"])
  }

  @Test("Keys that are fetched stay when the configuration is read again; those of nobody go")
  func fetchedKeys() throws {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let log = ServerLog(level: .error, format: .text) {
      0
    } wake: {
    }
    var configuration = ServerConfiguration()
    configuration.tokens.keySetURL = "http://127.0.0.1/one"
    configuration.tokens.issuers = [
      try TokenIssuerSetting("b http://127.0.0.1/one"), try TokenIssuerSetting("c http://127.0.0.1/two"),
    ]
    let authority = try ServerAuthority(configuration, loops: [loop], log: log) { 0 }
    func fetches() -> UInt64? {
      network.runUntilIdle()
      return authority.counters.first { $0.name == "token_key_fetches" }?.value
    }
    // Two addresses, though three name them.
    #expect(fetches() == 2)
    authority.use(try authority.prepare(configuration))
    #expect(fetches() == 2)
    #expect(Set(authority.tokens.verifier.issuers.keys) == ["b", "c"])
    configuration.tokens.issuers.removeLast()
    authority.use(try authority.prepare(configuration))
    #expect(fetches() == 1 && authority.tokens.verifier.keySource != nil)
    configuration.tokens = ServerConfiguration.Tokens()
    authority.use(try authority.prepare(configuration))
    #expect(fetches() == nil && authority.tokens.verifier.keySource == nil)
    #expect(authority.tokens.verifier.issuers.isEmpty)
  }

  @Test("Limits that were met are one line in ten seconds")
  func limits() throws {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let hub = Hub(
      loops: [loop], namespaces: Namespaces(), encodings: [CentrifugoJSONEncoding()], wallClock: { 0 },
      randomBits: { 1 })
    let log = ServerLog(level: .info, format: .text) {
      0
    } wake: {
    }
    let refused = Atomic<UInt64>(0)
    LimitWatch(hub, on: loop, log: log) {
      [("connections_refused", refused.load(ordering: .relaxed)), ("x", 9)]
    }
    .start()
    func lines() -> [String] {
      String(decoding: log.take(), as: UTF8.self).split(separator: "\n").map { String($0.dropFirst(25)) }
    }
    network.advance(milliseconds: 20_000)
    #expect(lines().isEmpty)
    refused.store(3, ordering: .relaxed)
    network.advance(milliseconds: 9_999)
    #expect(lines().isEmpty)
    network.advance(milliseconds: 1)
    #expect(lines() == ["warning limits were met seconds=10 connections_refused=3"])
    network.advance(milliseconds: 60_000)
    #expect(lines().isEmpty)
  }

  @Test("Counters that have grown since the last look")
  func growth() {
    var growth = CounterGrowth()
    #expect(growth.take([("a", 0), ("b", 2)]).map { "\($0.name) \($0.value)" } == ["b 2"])
    #expect(growth.take([("a", 1), ("b", 2)]).map { "\($0.name) \($0.value)" } == ["a 1"])
    #expect(growth.take([("a", 0), ("b", .max)]).map { "\($0.name) \($0.value)" } == ["b \(UInt64.max - 2)"])
  }

  @Test("JSON where nobody reads on a terminal, unless it was said otherwise")
  func format() {
    var log = ServerConfiguration.Log()
    #expect(log.format(isTerminal: true) == .text && log.format(isTerminal: false) == .json)
    log.format = "json"
    #expect(log.format(isTerminal: true) == .json)
    log.format = "text"
    #expect(log.format(isTerminal: false) == .text)
  }
}
