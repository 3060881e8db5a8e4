import Bytes
import HTTPCore

/// How lines of the log are spelled. A function of its arguments alone.
enum LogLine {
  /// The longest text of a field, in bytes; the rest is cut.
  static let maximumTextBytes = 1_024

  /// `{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"listening","url":"ws://…"}` and a line break.
  static func json(
    _ level: LogLevel, _ message: StaticString, _ fields: [LogField], atMilliseconds now: UInt64
  ) -> [UInt8] {
    var line = ByteWriter(capacity: 256)
    line.append("{\"time\":\"")
    appendTime(now, to: &line)
    line.append("\",\"level\":\"")
    line.append(utf8: level.name)
    line.append("\",\"message\":")
    appendQuoted("\(message)", to: &line)
    for field in fields {
      line.append(UInt8(ascii: ","))
      appendQuoted(field.name, to: &line)
      line.append(UInt8(ascii: ":"))
      switch field.value {
      case .text(let text): appendQuoted(text, to: &line)
      case .number(let number): line.appendDecimal(number)
      case .texts(let texts):
        line.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
          if index > 0 { line.append(UInt8(ascii: ",")) }
          appendQuoted(text, to: &line)
        }
        line.append(UInt8(ascii: "]"))
      }
    }
    line.append("}\n")
    return line.bytes
  }

  /// `2026-01-02T03:04:05.678Z info    listening url=ws://…` and a line break. A value is in quotes where it needs
  /// them to be told from the rest.
  static func text(
    _ level: LogLevel, _ message: StaticString, _ fields: [LogField], atMilliseconds now: UInt64
  ) -> [UInt8] {
    var line = ByteWriter(capacity: 256)
    appendTime(now, to: &line)
    line.append(UInt8(ascii: " "))
    line.append(utf8: level.name)
    for _ in level.name.utf8.count..<8 { line.append(UInt8(ascii: " ")) }
    line.append(message)
    for field in fields {
      line.append(UInt8(ascii: " "))
      line.append(utf8: field.name)
      line.append(UInt8(ascii: "="))
      switch field.value {
      case .text(let text): appendPlain(text, to: &line)
      case .number(let number): line.appendDecimal(number)
      case .texts(let texts): appendPlain(texts.joined(separator: ","), to: &line)
      }
    }
    line.append(UInt8(ascii: "\n"))
    return line.bytes
  }

  /// UTC, as ISO 8601 and RFC 3339 have it.
  private static func appendTime(_ milliseconds: UInt64, to line: inout ByteWriter) {
    // Until the year 9999.
    let milliseconds = min(milliseconds, 253_402_300_799_999)
    let seconds = milliseconds / 1_000
    let date = HTTPDate.civil(Int64(seconds / 86_400))
    let second = Int(seconds % 86_400)
    let parts: [(Int, Int, StaticString)] = [
      (date.year, 4, "-"), (date.month, 2, "-"), (date.day, 2, "T"), (second / 3_600, 2, ":"),
      (second / 60 % 60, 2, ":"), (second % 60, 2, "."), (Int(milliseconds % 1_000), 3, "Z"),
    ]
    for (number, digits, end) in parts {
      let text = String(number)
      for _ in text.utf8.count..<max(digits, text.utf8.count) { line.append(UInt8(ascii: "0")) }
      line.append(utf8: text)
      line.append(end)
    }
  }

  private static func appendPlain(_ text: String, to line: inout ByteWriter) {
    let isPlain =
      !text.isEmpty && text.utf8.count <= maximumTextBytes
      && text.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
          && $0 != UInt8(ascii: "\\")
      }
    if isPlain { line.append(utf8: text) } else { appendQuoted(text, to: &line) }
  }

  /// As a string of JSON. What would move the cursor of a terminal, begin another line or turn the direction of writing
  /// is escaped, too.
  private static func appendQuoted(_ text: String, to line: inout ByteWriter) {
    line.append(UInt8(ascii: "\""))
    var count = 0
    for scalar in text.unicodeScalars {
      count += UTF8.width(scalar)
      guard count <= maximumTextBytes else {
        line.append("…")
        break
      }
      append(scalar, to: &line)
    }
    line.append(UInt8(ascii: "\""))
  }

  private static func append(_ scalar: Unicode.Scalar, to line: inout ByteWriter) {
    switch scalar {
    case "\"": line.append("\\\"")
    case "\\": line.append("\\\\")
    case "\n": line.append("\\n")
    case "\t": line.append("\\t")
    case " "..."~": line.append(UInt8(truncatingIfNeeded: scalar.value))
    default:
      guard isHidden(scalar) else { return line.append(utf8: String(Character(scalar))) }
      for unit in String(Character(scalar)).utf16 {
        line.append("\\u")
        for shift in [12, 8, 4, 0] {
          line.appendHexadecimal(UInt64(unit >> UInt16(shift)) & 15)
        }
      }
    }
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
    default: false
    }
  }
}
