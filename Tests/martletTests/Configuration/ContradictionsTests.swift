import Testing

@testable import martlet

@Suite("Settings without effect") struct ContradictionsTests {
  private func problems(_ text: String) -> [String] {
    ConfigurationReader.read(text, fileName: "m.json5").problems
  }

  @Test("A history needs a size and a time")
  func halfAHistory() {
    let text = "{ namespaces: { b: { history_size: 1 }, a: { history_ttl_seconds: 1, force_recovery: true }}}"
    #expect(
      problems(text)
        == [
          "m.json5: namespaces: a: history_ttl_seconds keeps nothing without history_size",
          "m.json5: namespaces: b: history_size keeps nothing without history_ttl_seconds",
        ])
    #expect(
      problems("{ default_namespace: { history_size: 1 } }")
        == ["m.json5: default_namespace: history_size keeps nothing without history_ttl_seconds"])
  }

  @Test(
    "What needs a history is refused without one",
    arguments: [
      "allow_recovery", "force_recovery", "allow_positioning", "force_positioning", "allow_acknowledgement",
    ])
  func noHistory(key: String) {
    #expect(
      problems("{ namespaces: { a: { \(key): true } } }")
        == ["m.json5: namespaces: a: \(key) needs a history: history_size and history_ttl_seconds"])
    #expect(
      problems("{ namespaces: { a: { \(key): true, history_size: 1, history_ttl_seconds: 1 } } }") == [])
    #expect(problems("{ namespaces: { a: { \(key): false } } }") == [])
  }

  @Test("Who may read a history needs one")
  func unreadableHistory() {
    #expect(
      problems("{ namespaces: { a: { history: ['anonymous'] } } }")
        == ["m.json5: namespaces: a: history needs a history: history_size and history_ttl_seconds"])
    #expect(
      problems(
        "{ namespaces: { a: { history: ['anonymous'], history_size: 1, history_ttl_seconds: 1 } } }") == [])
    #expect(problems("{ namespaces: { a: { history: [] } } }") == [])
  }

  @Test(
    "So do presence and announcements",
    arguments: [
      ("presence: ['anonymous']", "keep_presence", "presence"),
      ("force_join_leave: true", "join_leave", "force_join_leave"),
    ])
  func presence(setting: String, needed: String, key: String) {
    #expect(
      problems("{ namespaces: { a: { \(setting) } } }")
        == ["m.json5: namespaces: a: \(key) needs \(needed): true"])
    #expect(problems("{ namespaces: { a: { \(setting), \(needed): true } } }") == [])
    #expect(problems("{ namespaces: { a: { \(needed): true } } }") == [])
  }

  @Test("Namespaces have names that channels can have")
  func names() {
    let long = String(repeating: "n", count: 255)
    for name in ["a\\nb", long] {
      let found = problems("{ namespaces: { '\(name)': {} } }")
      #expect(found.count == 1)
      #expect(found.first?.contains("cannot be a namespace: names of channels") == true)
    }
    #expect(problems("{ namespaces: { '\(long.dropLast())': {}, 'a b!': {} } }") == [])
  }

  @Test(
    "Fields have names of fields",
    arguments: [
      (
        "{ backend: { pass_headers: ['a b'] } }",
        "backend.pass_headers: \"a b\" cannot be the name of a field"
      ),
      ("{ backend: { pass_headers: [''] } }", "backend.pass_headers: \"\" cannot be the name of a field"),
      (
        "{ backend: { rpc_url: 'http://h/', headers: ['a b: c'] } }",
        "backend.headers: a field is written as NAME: VALUE"
      ),
    ])
  func fields(text: String, complaint: String) {
    let reader = ConfigurationReader.read(text, fileName: "m.json5")
    #expect(reader.configuration.refusals == [complaint])
    let right = "{ backend: { rpc_url: 'http://h/', pass_headers: ['Cookie'], headers: ['x-a: b c'] } }"
    #expect(ConfigurationReader.read(right, fileName: "m.json5").configuration.refusals == [])
  }

  @Test("A Unix socket has a path that fits")
  func unixSocket() {
    func refusals(_ host: String) -> [String] {
      var configuration = ServerConfiguration()
      configuration.host = host
      return configuration.refusals
    }
    #expect(refusals("unix:") == ["host: \"unix:\" needs a path, as in unix:/run/martlet.sock"])
    let path = "/" + String(repeating: "p", count: 106)
    #expect(refusals("unix:" + path) == [])
    #expect(refusals("unix:" + path + "p") == ["host: the path of a Unix socket has at most 107 bytes"])
  }
}
