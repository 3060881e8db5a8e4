/// `martlet version`
enum VersionCommand: Command {
  static let description = CommandDescription(name: "version", summary: "Print the program's version")

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    Terminal.line("martlet \(Version.number)")
    return .success
  }
}
