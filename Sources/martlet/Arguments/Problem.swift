/// What went wrong, as one line for the person at the terminal, and the exit status it leads to.
struct Problem: Error, Equatable {
  /// Says what is wrong and, where we know, what to do about it. One line, no full stop.
  var message: String
  var status: ExitStatus

  /// The command line, a setting or a file cannot be used as given: exit status 2.
  static func usage(_ message: String) -> Problem { Problem(message: message, status: .usage) }

  /// The command was understood but could not be carried out: exit status 1.
  static func failure(_ message: String) -> Problem { Problem(message: message, status: .failure) }
}

/// The exit statuses that scripts may rely on.
enum ExitStatus: Int32, Sendable {
  case success = 0
  /// The command was understood but failed: no connection, permission denied.
  case failure = 1
  /// Unknown command or flag, bad value, unreadable file.
  case usage = 2
  /// A server answered with an HTTP status instead of a WebSocket.
  case refused = 3
  /// The connection was closed otherwise than normally.
  case closedAbnormally = 4
}
