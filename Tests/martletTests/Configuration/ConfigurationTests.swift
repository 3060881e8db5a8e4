import Realtime
import Testing

@testable import martlet

@Suite("Configuration") struct ConfigurationTests {
  private func read(_ text: String) -> ConfigurationReader {
    ConfigurationReader.read(text, fileName: "m.json5")
  }

  @Test("The default configuration is valid, complete, and changes nothing")
  func defaults() {
    let text = ConfigurationText.defaults()
    let reader = read(text)
    #expect(reader.problems == [])
    let plain = ServerConfiguration()
    for setting in ServerConfiguration.settings {
      #expect(setting.show(reader.configuration) == setting.show(plain))
      #expect(text.contains("\(setting.path.name): \(setting.show(plain)),"))
    }
    for setting in NamespaceOptions.settings {
      #expect(text.contains("\(setting.key): \(setting.show(NamespaceOptions())),"))
    }
  }

  @Test("Every option of a namespace can be set")
  func complete() {
    #expect(NamespaceOptions.settings.count == Mirror(reflecting: NamespaceOptions()).children.count)
    #expect(Set(NamespaceOptions.settings.map(\.key)).count == NamespaceOptions.settings.count)
    #expect(Set(ServerConfiguration.settings.map(\.key)).count == ServerConfiguration.settings.count)
  }

  @Test("docs/configuration.md is what `config docs` prints")
  func documentation() throws {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    let path = root.joined(separator: "/") + "/docs/configuration.md"
    #expect(String(decoding: try TextFile.read(path), as: UTF8.self) == ConfigurationText.documentation())
  }

  @Test("The example namespace of the default configuration works when its comment signs are taken away")
  func example() {
    let text = ConfigurationText.defaults().split(separator: "\n", omittingEmptySubsequences: false)
    let start = text.firstIndex { $0.contains("// chat: {") } ?? 0
    let lines = text.enumerated().map { index, line in
      index < start ? String(line) : String(line.trimmingPrefix("    // "))
    }
    let reader = read(lines.joined(separator: "\n"))
    #expect(reader.problems == [])
    #expect(reader.configuration.namespaces["chat"]?.historySize == 100)
    #expect(reader.configuration.namespaces["chat"]?.historyTTLMilliseconds == 86_400_000)
  }

  @Test("Values arrive in their places")
  func values() {
    let reader = read(
      """
      { host: "0.0.0.0", port: 80, drain_seconds: "1m", token: { secret: "s" }, api: { keys: ["a", "b"] },
        limits: { message_bytes: "128KiB" },
        namespaces: { chat: { subscribe: ["authenticated", "anonymous"], history_size: 9, history_ttl_seconds: "24h" },
          news: {} } }
      """)
    #expect(reader.problems == [])
    let configuration = reader.configuration
    #expect(configuration.host == "0.0.0.0")
    #expect(configuration.port == 80)
    #expect(configuration.drainMilliseconds == 60_000)
    #expect(configuration.tokenSecret == "s")
    #expect(configuration.apiKeys == ["a", "b"])
    #expect(configuration.limits.messageBytes == 131_072)
    #expect(configuration.namespaces["chat"]?.subscribe == .everyone)
    #expect(configuration.namespaces["chat"]?.historyTTLMilliseconds == 86_400_000)
    #expect(configuration.namespaces["news"] != nil)
    #expect(configuration.defaultNamespace == nil)
  }

  @Test("All problems are listed, each with its place")
  func problems() {
    let reader = read(
      """
      { prot: 1,
        port: 99999, token: { secret: 5, sceret: "" },
        limits: 3,
        namespaces: { "a:b": {}, chat: { subscribe: ["anonymus"], hystory_size: 1 } } }
      """)
    #expect(
      reader.problems == [
        "m.json5:1:3: unknown key \"prot\"; did you mean port?",
        "m.json5:2:9: port: 99999 is not a whole number from 0 to 65535",
        "m.json5:2:33: token.secret: the value is not a string in quotes",
        "m.json5:2:36: unknown key \"sceret\"; did you mean secret?",
        "m.json5:3:11: \"limits\" must be an object: { … }",
        "m.json5:4:17: \"a:b\" cannot be a namespace: it is what stands before the ':'",
        "m.json5:4:47: subscribe: […] names \"anonymus\", which is none of authenticated, anonymous, subscribers;"
          + " did you mean anonymous?",
        "m.json5:4:61: unknown key \"hystory_size\"; did you mean history_size?",
      ])
    #expect(
      read("{ limits: { ping_seconds: 5 } }").problems == [
        "m.json5: limits.pong_seconds must be less than limits.ping_seconds"
      ])
    #expect(read("[]").problems == ["m.json5:1:1: the configuration must be an object: { … }"])
  }

  @Test("The environment goes over the file")
  func environment() throws {
    var configuration = read("{ port: 1, host: 'h' }").configuration
    try configuration.apply(environment: [
      "MARTLET_PORT": "2", "MARTLET_API_KEYS": "x,y", "MARTLET_LIMITS_MESSAGE_BYTES": "1k", "HOME": "/",
      "MARTLET_URL": "ws://x", "MARTLET_SERVICE_HOST": "10.0.0.1", "MARTLET_PORT_8000_TCP_PORT": "8000",
    ])
    #expect(configuration.port == 2)
    #expect(configuration.host == "h")
    #expect(configuration.apiKeys == ["x", "y"])
    #expect(configuration.limits.messageBytes == 1_024)
  }

  @Test(
    "Bad variables are errors",
    arguments: [
      ("MARTLET_PROT", "1", "unknown environment variable MARTLET_PROT; did you mean MARTLET_PORT?"),
      ("MARTLET_LOOPS", "x", "MARTLET_LOOPS: \"x\" is not a whole number from 0 to 1024"),
      (
        "MARTLET_PORT", "tcp://10.0.0.1:80",
        "MARTLET_PORT: \"tcp://10.0.0.1:80\" is not a whole number from 0 to 65535"
          + " (set by Kubernetes; say enableServiceLinks: false)"
      ),
    ])
  func badEnvironment(variable: String, text: String, message: String) {
    var configuration = ServerConfiguration()
    #expect(throws: Problem.usage(message)) { try configuration.apply(environment: [variable: text]) }
  }
}
