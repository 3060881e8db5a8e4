/// `martlet config default|check|docs`
enum ConfigCommand: Command {
  static let description = CommandDescription(
    name: "config", summary: "Print the default configuration of 'serve', or check a file",
    discussion: [
      "ACTION is one of:",
      "default prints a JSON5 file with every option, what it means and its default.",
      "check reads FILE as 'serve --config FILE' would, and lists everything that is wrong with it.",
      "docs prints the options as tables in Markdown.",
    ],
    operands: [Operand(name: "ACTION"), Operand(name: "FILE", isOptional: true)],
    examples: [
      .init(purpose: "Begin a configuration of your own.", line: "martlet config default > martlet.json5"),
      .init(purpose: "Check it before the server is restarted.", line: "martlet config check martlet.json5"),
    ])

  private static let actions = ["default", "check", "docs"]

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let action = arguments.operands[0]
    let file = arguments.operands.dropFirst().first
    guard actions.contains(action) else {
      let hint = Suggestion.clause(
        for: action, among: actions, otherwise: "; it is one of default, check, docs")
      throw Problem.usage("unknown action \(quoted(action))\(hint)")
    }
    if action == "check" {
      guard let file else { throw Problem.usage("FILE is missing; usage: martlet config check FILE") }
      return try check(file)
    }
    if let file {
      throw Problem.usage("'config \(action)' takes no FILE, but was given \(quoted(path: file))")
    }
    Terminal.write(action == "default" ? ConfigurationText.defaults() : ConfigurationText.documentation())
    return .success
  }

  private static func check(_ file: String) throws(Problem) -> ExitStatus {
    guard let text = String(validating: try TextFile.read(file), as: UTF8.self) else {
      throw .usage("\(quoted(path: file)) is not a text file (UTF-8)")
    }
    let reader = ConfigurationReader.read(text, fileName: file)
    let problems =
      reader.problems.isEmpty ? reader.configuration.refusals.map { "\(file): \($0)" } : reader.problems
    for problem in problems { Terminal.note(problem) }
    guard problems.isEmpty else { return .usage }
    Terminal.line("\(file): no problems")
    return .success
  }
}
