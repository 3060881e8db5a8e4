/// How one value is written and read, wherever it comes from: a flag, the environment or the configuration file.
struct ValueKind<Value: Sendable>: Sendable {
  /// Stands for the value in help texts: `--port PORT`.
  let placeholder: String
  /// Throws a message that completes "VALUE …": "is not a whole number from 1 to 65535".
  let read: @Sendable (RawValue) throws(BadValue) -> Value
  /// The value as JSON5.
  let show: @Sendable (Value) -> String
}

/// A value as it was written, before its kind has looked at it.
enum RawValue: Sendable, Equatable {
  /// One word of the command line or one environment variable.
  case text(String)
  /// What the configuration file says.
  case node(JSON5Value)
}

/// Why a value was refused: completes the sentence that begins with the value.
struct BadValue: Error, Equatable {
  var complaint: String

  init(_ complaint: String) { self.complaint = complaint }
}

extension ValueKind where Value == Int {
  /// A whole number within `range`.
  static func integer(_ placeholder: String, in range: ClosedRange<Int>) -> ValueKind {
    let complaint =
      range.upperBound == .max
      ? "is not a whole number of \(range.lowerBound) or more"
      : "is not a whole number from \(range.lowerBound) to \(range.upperBound)"
    return ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        let number: Int? =
          switch raw {
          case .text(let text): Int(text)
          case .node(.integer(let value)): Int(exactly: value)
          case .node: nil
          }
        guard let number, range.contains(number) else { throw BadValue(complaint) }
        return number
      },
      show: { String($0) })
  }

  /// A number of bytes: `65536`, `64KiB`, `1MiB`.
  static func bytes(in range: ClosedRange<Int>) -> ValueKind {
    ValueKind(
      placeholder: "BYTES",
      read: { (raw) throws(BadValue) in
        let number: Int? =
          switch raw {
          case .text(let text), .node(.string(let text)): Quantity.bytes(text)
          case .node(.integer(let value)): Int(exactly: value)
          case .node: nil
          }
        guard let number else { throw BadValue("is not a number of bytes such as 65536, 64KiB or 1MiB") }
        guard range.contains(number) else {
          throw BadValue("is not from \(range.lowerBound) to \(range.upperBound) bytes")
        }
        return number
      },
      show: { String($0) })
  }

  /// A time span, held in seconds: `90`, `90s`, `15m`, `1h30m`, `7d`.
  static var duration: ValueKind {
    ValueKind(
      placeholder: "TIME",
      read: { (raw) throws(BadValue) in
        let seconds: Int? =
          switch raw {
          case .text(let text), .node(.string(let text)): Quantity.seconds(text)
          case .node(.integer(let value)): Int(exactly: value)
          case .node: nil
          }
        guard let seconds, seconds >= 0 else {
          throw BadValue("is not a time span such as 90s, 15m, 1h30m or 7d")
        }
        return seconds
      },
      show: { String($0) })
  }
}

extension ValueKind where Value == Bool {
  static var boolean: ValueKind {
    ValueKind(
      placeholder: "true|false",
      read: { (raw) throws(BadValue) in
        switch raw {
        case .text("true"), .text("1"), .text("yes"), .text("on"), .node(.bool(true)): return true
        case .text("false"), .text("0"), .text("no"), .text("off"), .node(.bool(false)): return false
        default: throw BadValue("is neither true nor false")
        }
      },
      show: { String($0) })
  }
}

extension ValueKind where Value == String {
  static func text(_ placeholder: String) -> ValueKind {
    ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        switch raw {
        case .text(let text), .node(.string(let text)): return text
        case .node: throw BadValue("is not a string in quotes")
        }
      },
      show: { JSON5Value.string($0).description })
  }

  /// One of these texts.
  static func choice(_ choices: String...) -> ValueKind {
    let placeholder = choices.joined(separator: "|")
    let plain = text(placeholder)
    return ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        let text = try plain.read(raw)
        guard choices.contains(text) else {
          throw BadValue("is not one of \(choices.map(quoted).joined(separator: ", "))")
        }
        return text
      },
      show: plain.show)
  }
}

extension ValueKind where Value == [String] {
  /// Several strings: a list in the file, separated by commas in a flag or the environment.
  static func list(_ placeholder: String) -> ValueKind {
    ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        switch raw {
        case .text(let text):
          return text.split(separator: ",").map(trimmingSpaces).filter { !$0.isEmpty }
        case .node(.list(let elements)):
          var texts: [String] = []
          for (index, element) in elements.enumerated() {
            guard case .string(let text) = element.value else {
              throw BadValue("is not a list of strings in quotes: element \(index + 1) is none")
            }
            texts.append(text)
          }
          return texts
        case .node: throw BadValue("is not a list such as [\"one\", \"two\"]")
        }
      },
      show: { "[" + $0.map { JSON5Value.string($0).description }.joined(separator: ", ") + "]" })
  }
}

/// `text` without the blanks around it.
func trimmingSpaces(_ text: some StringProtocol) -> String {
  let isBlank = { (character: Character) in character.isWhitespace }
  let head = text.drop(while: isBlank)
  return String(head.reversed().drop(while: isBlank).reversed())
}
