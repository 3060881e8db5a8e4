/// A command line that has been understood: every value is of its flag's kind.
struct Arguments: Sendable {
  private(set) var operands: [String] = []
  private(set) var isHelpWanted = false
  private var values: [String: [any Sendable]] = [:]
  /// Names of flags that stood on the command line; the environment does not count.
  private(set) var given: Set<String> = []

  /// The flag's value, from the command line or else from its environment variable.
  func value<Value>(_ flag: Flag<Value>) -> Value? {
    values[flag.name]?.last as? Value
  }

  /// Every value of a repeatable flag, in order.
  func allValues<Value>(_ flag: Flag<Value>) -> [Value] {
    (values[flag.name] ?? []).compactMap { $0 as? Value }
  }

  func has(_ flag: Switch) -> Bool { values[flag.name] != nil }

  /// Reads `words` (without the program's and the command's name) as `command` describes them.
  init(
    _ words: some Sequence<String>, for command: CommandDescription, environment: [String: String] = [:]
  ) throws(Problem) {
    var words = Array(words)[...]
    var onlyOperands = false
    while let word = words.popFirst() {
      if onlyOperands || !Self.looksLikeFlag(word) {
        operands.append(word)
      } else if word == "--" {
        onlyOperands = true
      } else if word == "--help" || word == "-h" {
        isHelpWanted = true
        return
      } else {
        try readFlag(word, &words, command)
      }
    }
    try readEnvironment(environment, command)
    try checkOperands(command)
  }

  /// `-` alone means standard input, and `-5` is a number (which is JSON).
  private static func looksLikeFlag(_ word: String) -> Bool {
    let bytes = Array(word.utf8.prefix(2))
    guard bytes.first == UInt8(ascii: "-"), bytes.count == 2 else { return false }
    return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[1])
  }

  private mutating func readFlag(
    _ word: String, _ rest: inout ArraySlice<String>, _ command: CommandDescription
  ) throws(Problem) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let written = String(parts.first ?? "")
    let name = String(written.drop { $0 == "-" })
    guard written.hasPrefix("--"), let flag = command.flags.first(where: { $0.name == name }) else {
      throw .usage(Self.unknown(written, name, command))
    }
    if given.contains(name), !flag.isRepeatable { throw .usage("--\(name) is given twice") }
    given.insert(name)

    var text = parts.count == 2 ? String(parts[1]) : nil
    if flag.placeholder == nil {
      if let text { throw .usage("--\(name) takes no value, but was given \(quoted(text))") }
    } else if text == nil {
      text = rest.popFirst()
    }
    guard let placeholder = flag.placeholder else { return values[name] = [true] }
    guard let text else { throw .usage("--\(name) needs a value: --\(name) \(placeholder)") }
    do {
      values[name, default: []].append(try flag.read(text))
    } catch {
      throw .usage("--\(name): \(quoted(text)) \(error.complaint)")
    }
  }

  private mutating func readEnvironment(
    _ environment: [String: String], _ command: CommandDescription
  ) throws(Problem) {
    for flag in command.flags where values[flag.name] == nil {
      guard let variable = flag.environmentName, let text = environment[variable], !text.isEmpty else {
        continue
      }
      do {
        values[flag.name] = [try flag.read(text)]
      } catch {
        throw .usage("\(variable): \(quoted(text)) \(error.complaint)")
      }
    }
  }

  private func checkOperands(_ command: CommandDescription) throws(Problem) {
    let required = command.operands.filter { !$0.isOptional }
    if operands.count < required.count {
      throw .usage("\(required[operands.count].name) is missing; usage: \(HelpText.usage(of: command))")
    }
    if operands.count > command.operands.count {
      throw .usage(
        "too many arguments: \(quoted(operands[command.operands.count]));"
          + " usage: \(HelpText.usage(of: command))")
    }
  }

  private static func unknown(_ written: String, _ name: String, _ command: CommandDescription) -> String {
    let known = command.flags.map(\.name) + ["help"]
    let hint = Suggestion.clause(
      for: name, among: known, prefix: "--", otherwise: "; see 'martlet \(command.name) --help'")
    return "unknown flag \(written)\(hint)"
  }
}

/// A path in quotes: what matters of it is mostly at its end.
func quoted(path: String) -> String { quoted(path, limit: 4_096) }

/// `text` in quotes, on one line and of bounded length, fit for an error message.
func quoted(_ text: String, limit: Int = 60) -> String {
  var result = "\""
  for scalar in text.unicodeScalars.prefix(limit) {
    // Control characters could move the cursor or colour the terminal.
    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    if isControl { result += "?" } else { result.unicodeScalars.append(scalar) }
  }
  return result + (text.unicodeScalars.count > limit ? "…\"" : "\"")
}
