@testable import Gateways

/// A log whose lines are looked at; the time is always 1970-01-01T00:00:00.000Z.
struct TestLog {
  let log: ServerLog

  init(_ level: LogLevel = .debug) {
    log = ServerLog(level: level, format: .text) {
      0
    } wake: {
    }
  }

  /// The lines since the last time, without their times.
  func take() -> [String] {
    String(decoding: log.take(), as: UTF8.self).split(separator: "\n").map { String($0.dropFirst(25)) }
  }
}
