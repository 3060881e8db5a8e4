/// Bytes as rows of sixteen: offset, hexadecimal digits, characters.
enum HexDump {
  /// More rows are not shown.
  static let maximumRows = 64

  static func of(_ bytes: [UInt8], style: Style) -> String {
    var rows: [String] = []
    for start in stride(from: 0, to: bytes.count, by: 16).prefix(maximumRows) {
      rows.append(row(bytes[start..<min(bytes.count, start + 16)], start, style))
    }
    let left = bytes.count - min(bytes.count, maximumRows * 16)
    if left > 0 { rows.append(style.paint("… \(left) more bytes", .dim)) }
    return rows.joined(separator: "\n")
  }

  private static func row(_ bytes: ArraySlice<UInt8>, _ start: Int, _ style: Style) -> String {
    var digits = ""
    var characters = ""
    for index in 0..<16 {
      if index == 8 { digits += " " }
      if index < bytes.count {
        let byte = bytes[bytes.startIndex + index]
        digits += hexadecimal(byte) + " "
        characters.unicodeScalars.append((0x20...0x7E).contains(byte) ? Unicode.Scalar(byte) : "·")
      } else {
        digits += "   "
      }
    }
    let offset = String(start, radix: 16)
    let padded = String(repeating: "0", count: max(0, 8 - offset.count)) + offset
    return style.paint(padded, .dim) + "  " + digits + " " + style.paint(characters, .green)
  }

  /// Two digits.
  static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  /// Bytes from digits; blanks, commas, colons and `0x` may stand between them. Nil if it is something else.
  static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for word in text.split(whereSeparator: { $0.isWhitespace || $0 == "," || $0 == ":" }) {
      let digits = word.hasPrefix("0x") || word.hasPrefix("0X") ? word.dropFirst(2) : word
      guard !digits.isEmpty, digits.utf8.count % 2 == 0, digits.utf8.allSatisfy({ ($0 | 0x20).isHexDigit })
      else { return nil }
      var rest = digits
      while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
        bytes.append(byte)
        rest = rest.dropFirst(2)
      }
    }
    return bytes
  }
}

extension UInt8 {
  /// For digits and small letters.
  fileprivate var isHexDigit: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
  }
}
