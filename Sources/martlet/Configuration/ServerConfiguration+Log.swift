import Gateways

extension ServerConfiguration {
  /// What is written to standard error.
  struct Log: Sendable {
    var format = "auto"
    var level = LogLevel.info

    /// How lines are spelled; `auto` looks at who reads.
    func format(isTerminal: Bool) -> ServerLog.Format {
      switch format {
      case "text": .text
      case "json": .json
      default: isTerminal ? .text : .json
      }
    }
  }

  static let logSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "log.format", \.log.format, .choice("auto", "text", "json"),
      help:
        "How lines on standard error are written: \"text\" for people, \"json\" for programs, an object a line;"
        + " \"auto\" means text on a terminal, and JSON elsewhere."),
    Setting(
      "log.level", \.log.level, .logLevel,
      help:
        "What is written: \"error\"; \"warning\", also refused tokens, origins and keys, limits that are met, backends"
        + " that fail; \"info\", also start, end and changes; \"debug\", also each client that comes and goes."
    ),
  ]
}

extension ValueKind where Value == LogLevel {
  static var logLevel: ValueKind {
    let text = ValueKind<String>.choice("error", "warning", "info", "debug")
    return ValueKind(
      placeholder: text.placeholder,
      read: { (raw) throws(BadValue) in LogLevel(name: try text.read(raw)) ?? .info },
      show: { text.show($0.name) })
  }
}
