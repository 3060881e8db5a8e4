/// How much a line of the log matters.
public enum LogLevel: Int, Sendable, CaseIterable {
  /// Somebody has to do something.
  case error
  /// Something that should not be, which the server copes with.
  case warning
  /// What an operator wants to read afterwards: start, end, changes.
  case info
  /// Single clients.
  case debug

  /// As lines of the log spell it, and the configuration.
  public var name: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .info: "info"
    case .debug: "debug"
    }
  }

  /// The level of that name.
  public init?(name: String) {
    guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }
}

/// What lines are about that strangers can bring about as often as they like: each has a bound of its own.
public enum LogSubject: Int, Sendable, CaseIterable {
  /// Tokens that are refused.
  case token
  /// Web pages of origins that may not connect.
  case origin
  /// Keys of the server API that are refused.
  case key
  /// Questions to the application that fail.
  case backend
  /// Events that the application does not take.
  case webhook
  /// Keys of tokens that cannot be fetched.
  case keySet
}

/// One named value of a line.
public struct LogField: Sendable, Equatable {
  enum Value: Sendable, Equatable {
    case text(String)
    case texts([String])
    case number(Int64)
  }

  let name: String
  let value: Value

  /// A text; it may come from anybody, for it is escaped and cut.
  public static func text(_ name: StaticString, _ value: String) -> LogField {
    LogField(name: "\(name)", value: .text(value))
  }

  /// Several texts, of which the first 64 are shown.
  public static func texts(_ name: StaticString, _ values: [String]) -> LogField {
    LogField(name: "\(name)", value: .texts(Array(values.prefix(64))))
  }

  /// A number; `name` is one of the program's own, in letters and underscores.
  public static func number(_ name: String, _ value: some BinaryInteger) -> LogField {
    LogField(name: name, value: .number(Int64(clamping: value)))
  }
}
