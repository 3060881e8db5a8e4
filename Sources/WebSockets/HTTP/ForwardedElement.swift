import HTTPCore

/// Reads the value of a `Forwarded` field (RFC 7239 §4): elements `name=value;name=value` between commas; values may be
/// quoted strings.
///
/// Byte by byte: some characters of Unicode join with a comma or a quotation mark behind them, so that a client could hide
/// in a `Character` what a proxy has appended.
enum ForwardedElement {
  /// The pairs of each element by their names in lower case; nil in the place of one that is not well formed.
  static func elements(of value: String) -> [[String: String]?] {
    split(Array(value.utf8)[...], at: UInt8(ascii: ",")).map { element in
      var pairs: [String: String] = [:]
      for pair in split(element, at: UInt8(ascii: ";")) where !trimmed(pair).isEmpty {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
          let value = unquoted(trimmed(pair[(equals + 1)...]))
        else { return nil }
        // A quotation mark in a name would hide what is behind it from the splitting.
        guard trimmed(pair[..<equals]).allSatisfy(ASCII.isToken) else { return nil }
        let name = String(decoding: trimmed(pair[..<equals]), as: UTF8.self).lowercased()
        // "Each parameter MUST NOT occur more than once per field-value."
        guard !name.isEmpty, pairs.updateValue(value, forKey: name) == nil else { return nil }
      }
      return pairs
    }
  }

  /// Splits outside of quoted strings.
  private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    var isQuoted = false
    var isEscaped = false
    for (index, byte) in zip(text.indices, text) {
      if byte == separator, !isQuoted {
        parts.append(text[start..<index])
        start = index + 1
      } else if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = isQuoted
      } else if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      }
    }
    return parts + [text[start...]]
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = text.drop { $0 == 0x20 || $0 == 0x09 }
    while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
    return rest
  }

  /// A token as it is, a quoted string without its quotes; nil for an open one, and for one that ends before the value
  /// does: a client's open quotation mark would otherwise swallow what a proxy has appended.
  private static func unquoted(_ text: ArraySlice<UInt8>) -> String? {
    let mark = UInt8(ascii: "\"")
    guard text.first == mark else {
      return text.contains(mark) ? nil : String(decoding: text, as: UTF8.self)
    }
    guard text.count >= 2, text.last == mark else { return nil }
    var result: [UInt8] = []
    var isEscaped = false
    for byte in text.dropFirst().dropLast() {
      guard isEscaped || byte != mark else { return nil }
      isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
      if !isEscaped { result.append(byte) }
    }
    return isEscaped ? nil : String(decoding: result, as: UTF8.self)
  }
}
