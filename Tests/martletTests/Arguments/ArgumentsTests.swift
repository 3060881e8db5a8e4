import Testing

@testable import martlet

private let host = Flag(
  "host", .text("HOST"), default: "localhost", environment: "MARTLET_HOST", help: "where")
private let count = Flag("count", .integer("N", in: 1...100), default: "20", help: "how many")
private let header = Flag("header", .text("'K: V'"), repeatable: true, help: "a field")
private let loud = Switch("loud", help: "shout")

private let command = CommandDescription(
  name: "try", summary: "Try the parser",
  operands: [Operand(name: "CHANNEL"), Operand(name: "DATA", isOptional: true)],
  flags: [host, count, header, loud])

private func parse(_ words: String..., environment: [String: String] = [:]) throws(Problem) -> Arguments {
  try Arguments(words, for: command, environment: environment)
}

private func problem(_ words: String..., environment: [String: String] = [:]) -> Problem? {
  do {
    _ = try Arguments(words, for: command, environment: environment)
    return nil
  } catch {
    return error
  }
}

@Suite("Arguments") struct ArgumentsTests {
  @Test("Flags may stand anywhere, with a blank or with =")
  func flags() throws {
    let arguments = try parse("--count", "7", "news", "--host=example.com", "--loud", "{}")
    #expect(arguments.operands == ["news", "{}"])
    #expect(arguments.value(count) == 7)
    #expect(arguments.value(host) == "example.com")
    #expect(arguments.has(loud))
    #expect(arguments.given == ["count", "host", "loud"])
  }

  @Test("What is not given has no value")
  func absent() throws {
    let arguments = try parse("news")
    #expect(arguments.value(count) == nil)
    #expect(!arguments.has(loud))
  }

  @Test("A value may contain = and may be empty")
  func equalsSigns() throws {
    #expect(try parse("c", "--host=a=b").value(host) == "a=b")
    #expect(try parse("c", "--host=").value(host) == "")
  }

  @Test("A repeatable flag keeps its order, others may stand once")
  func repeated() throws {
    #expect(try parse("c", "--header", "A: 1", "--header=B: 2").allValues(header) == ["A: 1", "B: 2"])
    #expect(problem("c", "--count", "1", "--count", "2")?.message == "--count is given twice")
  }

  @Test("Behind -- everything is an operand; so are - and negative numbers")
  func operands() throws {
    #expect(try parse("--", "--host").operands == ["--host"])
    #expect(try parse("c", "-").operands == ["c", "-"])
    #expect(try parse("c", "-5").operands == ["c", "-5"])
  }

  @Test("--help wins over what is missing")
  func help() throws {
    #expect(try parse("--help").isHelpWanted)
    #expect(try parse("c", "-h", "--nonsense").isHelpWanted)
  }

  @Test("The environment fills in for a flag and loses against it")
  func environment() throws {
    let variables = ["MARTLET_HOST": "from.environment"]
    #expect(try parse("c", environment: variables).value(host) == "from.environment")
    #expect(try parse("c", "--host", "flag", environment: variables).value(host) == "flag")
    #expect(try parse("c", environment: ["MARTLET_HOST": ""]).value(host) == nil)
    #expect(try parse("c", environment: variables).given.isEmpty)
  }

  @Test(
    "Every mistake is one line that says what to do",
    arguments: [
      (["c", "--hots", "x"], "unknown flag --hots; did you mean --host?"),
      (["c", "--xyzzy"], "unknown flag --xyzzy; see 'martlet try --help'"),
      (["c", "--hepl"], "unknown flag --hepl; did you mean --help?"),
      (["c", "-host", "x"], "unknown flag -host; did you mean --host?"),
      (["c", "--count"], "--count needs a value: --count N"),
      (["c", "--count", "many"], "--count: \"many\" is not a whole number from 1 to 100"),
      (["c", "--count=0"], "--count: \"0\" is not a whole number from 1 to 100"),
      (
        ["c", "--count", "99999999999999999999"],
        "--count: \"99999999999999999999\" is not a whole number from 1 to 100"
      ),
      (["c", "--loud=yes"], "--loud takes no value, but was given \"yes\""),
      ([], "CHANNEL is missing; usage: martlet try CHANNEL [DATA] [flags]"),
      (["a", "b", "c"], "too many arguments: \"c\"; usage: martlet try CHANNEL [DATA] [flags]"),
    ])
  func mistakes(words: [String], message: String) {
    do {
      _ = try Arguments(words, for: command)
      Issue.record("accepted \(words)")
    } catch {
      #expect(error == Problem(message: message, status: .usage))
    }
  }

  @Test("A bad value in the environment names its variable")
  func badEnvironment() {
    let flag = Flag("port", .integer("PORT", in: 0...9), environment: "MARTLET_PORT", help: "")
    let command = CommandDescription(name: "x", summary: "", flags: [flag])
    #expect(throws: Problem.usage("MARTLET_PORT: \"tcp://10.0.0.1\" is not a whole number from 0 to 9")) {
      try Arguments([], for: command, environment: ["MARTLET_PORT": "tcp://10.0.0.1"])
    }
  }

  @Test("Quoted text is short, on one line and harmless to a terminal")
  func quoting() {
    #expect(quoted("a\u{1B}[31m\nb\u{9B}") == "\"a?[31m?b?\"")
    #expect(quoted(String(repeating: "x", count: 100)) == "\"" + String(repeating: "x", count: 60) + "…\"")
  }
}
