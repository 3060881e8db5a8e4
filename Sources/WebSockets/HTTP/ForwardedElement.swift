/// Reads the value of a `Forwarded` field (RFC 7239 §4): elements `name=value;name=value` between commas; values may be
/// quoted strings.
enum ForwardedElement {
  /// The pairs of each element by their names in lower case; nil in the place of one that is not well formed.
  static func elements(of value: String) -> [[String: String]?] {
    split(value, at: ",").map { element in
      var pairs: [String: String] = [:]
      for pair in split(element, at: ";") where !trimmed(pair).isEmpty {
        guard let equals = pair.firstIndex(of: "="),
          let value = unquoted(trimmed(pair[pair.index(after: equals)...]))
        else { return nil }
        let name = trimmed(pair[..<equals]).lowercased()
        // "Each parameter MUST NOT occur more than once per field-value."
        guard !name.isEmpty, pairs.updateValue(value, forKey: name) == nil else { return nil }
      }
      return pairs
    }
  }

  /// Splits outside of quoted strings.
  private static func split(_ text: some StringProtocol, at separator: Character) -> [String] {
    var parts = [""]
    var isQuoted = false
    var isEscaped = false
    for character in text {
      if character == separator, !isQuoted {
        parts.append("")
        continue
      }
      if isEscaped {
        isEscaped = false
      } else if character == "\\" {
        isEscaped = isQuoted
      } else if character == "\"" {
        isQuoted.toggle()
      }
      parts[parts.count - 1].append(character)
    }
    return parts
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }

  /// A token as it is, a quoted string without its quotes; nil for an open one.
  private static func unquoted(_ text: String) -> String? {
    guard text.hasPrefix("\"") else { return text.contains("\"") ? nil : text }
    guard text.count >= 2, text.hasSuffix("\"") else { return nil }
    var result = ""
    var isEscaped = false
    for character in text.dropFirst().dropLast() {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        result.append(character)
        isEscaped = false
      }
    }
    return isEscaped ? nil : result
  }
}
