/// What the parser and the help text need to know of a flag.
protocol FlagDescription: Sendable {
  /// Without the dashes: `max-message`.
  var name: String { get }
  /// Stands for the value in the help text; nil for a switch, which takes none.
  var placeholder: String? { get }
  /// What holds when the flag is not given, as the help text says it.
  var defaultText: String? { get }
  /// The environment variable that is read when the flag is not given.
  var environmentName: String? { get }
  var help: String { get }
  var isRepeatable: Bool { get }
  func read(_ text: String) throws(BadValue) -> any Sendable
}

/// One `--name VALUE` of a command, described once: the parser, the help text and the command read this.
struct Flag<Value: Sendable>: FlagDescription {
  let name: String
  let kind: ValueKind<Value>
  var defaultText: String?
  var environmentName: String?
  let help: String
  var isRepeatable = false

  init(
    _ name: String, _ kind: ValueKind<Value>, default defaultText: String? = nil,
    environment environmentName: String? = nil, repeatable isRepeatable: Bool = false, help: String
  ) {
    self.name = name
    self.kind = kind
    self.defaultText = defaultText
    self.environmentName = environmentName
    self.isRepeatable = isRepeatable
    self.help = help
  }

  var placeholder: String? { kind.placeholder }

  func read(_ text: String) throws(BadValue) -> any Sendable { try kind.read(.text(text)) }
}

/// One `--name` that is either there or not.
struct Switch: FlagDescription {
  let name: String
  let help: String

  init(_ name: String, help: String) {
    self.name = name
    self.help = help
  }

  var placeholder: String? { nil }
  var defaultText: String? { nil }
  var environmentName: String? { nil }
  var isRepeatable: Bool { false }

  func read(_ text: String) throws(BadValue) -> any Sendable { true }
}

/// A word of the command line that is not a flag.
struct Operand: Sendable {
  /// In capitals: `CHANNEL`.
  let name: String
  var isOptional = false
}
