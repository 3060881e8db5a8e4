/// A command as the parser and the help text see it.
struct CommandDescription: Sendable {
  let name: String
  /// One line for the list of commands.
  let summary: String
  /// What a newcomer must know, in paragraphs.
  var discussion: [String] = []
  var operands: [Operand] = []
  var flags: [any FlagDescription] = []
  var examples: [Example] = []
  /// Each status with its meaning, where there is more to say than 0, 1 and 2.
  var exitStatuses: [(status: ExitStatus, meaning: String)] = []

  /// A command line that works as written, and what it is good for.
  struct Example: Sendable {
    let purpose: String
    let line: String
  }
}

/// A command of the program.
protocol Command: Sendable {
  static var description: CommandDescription { get }
  static func run(_ arguments: Arguments) async throws -> ExitStatus
}
