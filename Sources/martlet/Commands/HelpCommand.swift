/// `martlet help [COMMAND]`
enum HelpCommand: Command {
  static let description = CommandDescription(
    name: "help", summary: "Explain the program or one of its commands",
    operands: [Operand(name: "COMMAND", isOptional: true)])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    if let name = arguments.operands.first {
      Terminal.write(HelpText.page(for: try Program.find(name).description))
    } else {
      Terminal.write(HelpText.overview(of: Program.commands.map { $0.description }))
    }
    return .success
  }
}
