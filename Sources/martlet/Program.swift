import Glibc

/// The program: finds the command and runs it.
@main
enum Program {
  /// In the order in which `martlet help` lists them.
  static let commands: [any Command.Type] = [
    ServeCommand.self, PublishCommand.self, SubscribeCommand.self, TokenCommand.self, ConfigCommand.self,
    DevicesCommand.self, EchoCommand.self, ConnectCommand.self, BenchCommand.self, VersionCommand.self,
    HelpCommand.self,
  ]

  /// Commands of the design that this build does not have, and what to say about them.
  static let planned = ["balance"]

  static func main() {
    Signals.block()
    let words = Array(CommandLine.arguments.dropFirst())
    // Detached: the main thread, whose executor an ordinary task of main would inherit, only waits for signals.
    Task.detached {
      do throws(Problem) {
        exit(try await run(words).rawValue)
      } catch {
        Terminal.note("martlet: \(error.message)")
        exit(error.status.rawValue)
      }
    }
    Signals.wait()
  }

  static func run(_ words: [String]) async throws(Problem) -> ExitStatus {
    guard let first = words.first else {
      Terminal.write(Array(HelpText.overview(of: commands.map { $0.description }).utf8), to: STDERR_FILENO)
      return .usage
    }
    let name = ["--help": "help", "-h": "help", "--version": "version"][first] ?? first
    let command = try find(name)
    let description = command.description
    do {
      let arguments = try Arguments(words.dropFirst(), for: description, environment: environment())
      if arguments.isHelpWanted {
        Terminal.write(HelpText.page(for: description))
        return .success
      }
      return try await command.run(arguments)
    } catch let problem as Problem {
      throw Problem(message: "\(name): \(problem.message)", status: problem.status)
    } catch {
      throw .failure("\(name): \(error)")
    }
  }

  static func find(_ name: String) throws(Problem) -> any Command.Type {
    if let command = commands.first(where: { $0.description.name == name }) { return command }
    if planned.contains(name) { throw .usage("\(name): this build does not have that command yet") }
    let hint = Suggestion.clause(
      for: name, among: commands.map { $0.description.name }, otherwise: "; 'martlet help' lists the commands"
    )
    throw .usage("unknown command \(quoted(name))\(hint)")
  }

  static func environment() -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
      next += 1
    }
    return result
  }
}
