extension JSON5Reader {
  /// Skips white space and both kinds of comments.
  mutating func skipBlanks() throws(JSON5Error) {
    while let byte = peek {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
        _ = take()
      case UInt8(ascii: "/"): try skipComment()
      case _ where hasPrefix("\u{FEFF}"): for _ in 0..<3 { _ = take() }
      case _ where hasPrefix("\u{A0}"): for _ in 0..<2 { _ = take() }
      default: return
      }
    }
  }

  private mutating func skipComment() throws(JSON5Error) {
    if hasPrefix("//") {
      while let byte = peek, byte != UInt8(ascii: "\n") { _ = take() }
    } else if hasPrefix("/*") {
      let start = self
      for _ in 0..<2 { _ = take() }
      while !hasPrefix("*/") {
        if take() == nil { throw start.error("this comment has no end") }
      }
      for _ in 0..<2 { _ = take() }
    } else {
      throw error("a '/' cannot stand here (comments begin with // or /*)")
    }
  }

  /// A string in double or single quotes.
  mutating func string() throws(JSON5Error) -> String {
    let start = self
    let quote = take()
    var bytes: [UInt8] = []
    while let byte = peek, byte != quote {
      if byte == UInt8(ascii: "\n") { break }
      _ = take()
      if byte == UInt8(ascii: "\\") { try escape(into: &bytes) } else { bytes.append(byte) }
    }
    guard peek == quote else { throw start.error("this string has no closing quote") }
    _ = take()
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw start.error("this string is not UTF-8")
    }
    return text
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(JSON5Error) {
    let start = self
    switch take() {
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "v"): bytes.append(0x0B)
    case UInt8(ascii: "0"): bytes.append(0)
    case UInt8(ascii: "\n"): break  // A backslash at the end of a line joins it with the next.
    case UInt8(ascii: "\r"): if peek == 0x0A { _ = take() }
    case UInt8(ascii: "x"): try append(hexadecimal(digits: 2, start), to: &bytes, start)
    case UInt8(ascii: "u"):
      var code = try hexadecimal(digits: 4, start)
      if (0xD800..<0xDC00).contains(code), hasPrefix("\\u") {
        for _ in 0..<2 { _ = take() }
        let low = try hexadecimal(digits: 4, start)
        guard (0xDC00..<0xE000).contains(low) else { throw start.error("half of a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      try append(code, to: &bytes, start)
    case let other?: bytes.append(other)
    case nil: throw start.error("the text ends inside a string")
    }
  }

  private mutating func hexadecimal(digits: Int, _ start: JSON5Reader) throws(JSON5Error) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = take().flatMap({ Character(UnicodeScalar($0)).hexDigitValue }) else {
        throw start.error("an escape needs \(digits) hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private func append(_ code: UInt32, to bytes: inout [UInt8], _ start: JSON5Reader) throws(JSON5Error) {
    guard let scalar = UnicodeScalar(code) else { throw start.error("half of a surrogate pair") }
    bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
  }
}
