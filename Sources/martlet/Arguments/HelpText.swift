/// Help, made from the description that the parser reads, so that the two never differ.
enum HelpText {
  static let width = 80

  /// `martlet publish CHANNEL DATA [flags]`
  static func usage(of command: CommandDescription) -> String {
    var words = ["martlet", command.name]
    words += command.operands.map { $0.isOptional ? "[\($0.name)]" : $0.name }
    if !command.flags.isEmpty { words.append("[flags]") }
    return words.joined(separator: " ")
  }

  static func page(for command: CommandDescription) -> String {
    var lines = ["Usage: " + usage(of: command), ""]
    lines += wrapped(command.summary + ".")
    for paragraph in command.discussion { lines += [""] + wrapped(paragraph) }
    lines += ["", "Flags:"]
    for flag in command.flags {
      lines += row(
        flag.placeholder.map { "--\(flag.name) \($0)" } ?? "--\(flag.name)", explanation(of: flag))
    }
    lines += row("--help", "show this text")
    if !command.examples.isEmpty { lines += ["", "Examples:"] }
    for example in command.examples {
      lines += wrapped(example.purpose, indent: "  # ") + ["  \(example.line)"]
    }
    lines += ["", "Exit status:"]
    for (status, meaning) in command.exitStatuses.isEmpty ? usualStatuses : command.exitStatuses {
      lines += wrapped(meaning, indent: "     ", first: "  \(status.rawValue)  ")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static let usualStatuses: [(status: ExitStatus, meaning: String)] = [
    (.success, "done"), (.failure, "failed; the reason is on standard error"),
    (.usage, "the command line, a setting or a file cannot be used as given"),
  ]

  /// The page of `martlet help`.
  static func overview(of commands: [CommandDescription]) -> String {
    var lines = [
      "Martlet \(Version.number): a real-time messaging server, and tools for WebSockets.", "",
      "Usage: martlet COMMAND [arguments] [flags]", "", "Commands:",
    ]
    let column = (commands.map(\.name.count).max() ?? 0) + 4
    for command in commands {
      lines += wrapped(
        command.summary, indent: String(repeating: " ", count: column),
        first: "  " + padded(command.name, to: column - 2))
    }
    lines += [
      "", "Try it:", "  martlet serve --demo",
      "  martlet devices                      # in a second terminal",
      "  martlet subscribe devices:all        # in a third", "",
      "'martlet COMMAND --help' tells everything about a command.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func explanation(of flag: any FlagDescription) -> String {
    var text = flag.help
    if flag.isRepeatable { text += "; may be repeated" }
    switch (flag.defaultText, flag.environmentName) {
    case (let standard?, let variable?): text += " (default: \(standard); environment: \(variable))"
    case (let standard?, nil): text += " (default: \(standard))"
    case (nil, let variable?): text += " (environment: \(variable))"
    case (nil, nil): break
    }
    return text
  }

  /// A flag and its explanation, which begins on a line of its own when the flag is long.
  private static func row(_ left: String, _ right: String) -> [String] {
    let column = 26
    let indent = String(repeating: " ", count: column)
    let first = "  " + left
    if first.count > column - 2 { return [first] + wrapped(right, indent: indent) }
    return wrapped(right, indent: indent, first: padded(first, to: column))
  }

  static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `text` broken at blanks into lines of at most `width` characters, indent included.
  static func wrapped(_ text: String, indent: String = "", first: String? = nil) -> [String] {
    var lines: [String] = []
    var line = first ?? indent
    var isBlank = true
    for word in text.split(separator: " ") {
      if !isBlank, line.count + 1 + word.count > width {
        lines.append(line)
        (line, isBlank) = (indent, true)
      }
      line += isBlank ? word : " " + word
      isBlank = false
    }
    return lines + [line]
  }
}
