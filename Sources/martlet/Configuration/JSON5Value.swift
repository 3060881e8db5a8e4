/// A value of a JSON5 document.
enum JSON5Value: Sendable, Equatable, CustomStringConvertible {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case list([JSON5Node])
  case object([JSON5Member])

  /// Short, for error messages: `"text"`, `8000`, `[…]`, `{…}`.
  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): String(value)
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .string(let text): Self.escaped(text)
    case .list(let elements): elements.isEmpty ? "[]" : "[…]"
    case .object(let members): members.isEmpty ? "{}" : "{…}"
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        result += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A value and where it stands, so that a complaint can say so.
struct JSON5Node: Sendable, Equatable {
  var value: JSON5Value
  var position: TextPosition
}

/// One `key: value` of an object.
struct JSON5Member: Sendable, Equatable {
  var key: String
  var keyPosition: TextPosition
  var node: JSON5Node
}

/// A place in a text file, counted from 1; columns count bytes, as compilers and editors do.
struct TextPosition: Sendable, Equatable {
  var line: Int
  var column: Int
}

/// The text is not JSON5.
struct JSON5Error: Error, Equatable {
  var complaint: String
  var position: TextPosition
}
