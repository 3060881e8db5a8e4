/// Reads JSON5 (https://spec.json5.org) into a tree that knows where each value stands. Our own rather than
/// FoundationEssentials' because that one keeps no positions, and a complaint about a configuration file is worth
/// little without its line. Stricter than JSON5 in two ways: a key may not appear twice, and Infinity and NaN
/// (which no setting takes) are refused.
struct JSON5Reader {
  private let text: [UInt8]
  private(set) var offset = 0
  private var line = 1
  private var lineStart = 0
  private static let maximumDepth = 32

  init(_ text: [UInt8]) { self.text = text }

  /// The document's one value.
  static func read(_ text: String) throws(JSON5Error) -> JSON5Node {
    var reader = JSON5Reader(Array(text.utf8))
    let node = try reader.value(depth: 0)
    try reader.skipBlanks()
    if reader.peek != nil { throw reader.error("more text after the end of the value") }
    return node
  }

  var position: TextPosition { TextPosition(line: line, column: offset - lineStart + 1) }
  var peek: UInt8? { offset < text.count ? text[offset] : nil }

  func error(_ complaint: String) -> JSON5Error { JSON5Error(complaint: complaint, position: position) }

  /// Takes the next byte and keeps count of the lines.
  mutating func take() -> UInt8? {
    guard let byte = peek else { return nil }
    offset += 1
    if byte == UInt8(ascii: "\n") {
      line += 1
      lineStart = offset
    }
    return byte
  }

  func hasPrefix(_ word: StaticString) -> Bool {
    word.withUTF8Buffer { text[offset...].starts(with: $0) }
  }

  func bytes(from start: Int) -> ArraySlice<UInt8> { text[start..<offset] }

  private mutating func value(depth: Int) throws(JSON5Error) -> JSON5Node {
    try skipBlanks()
    if depth > Self.maximumDepth { throw error("nested too deeply") }
    let start = position
    switch peek {
    case nil: throw error("the text ends where a value should be")
    case UInt8(ascii: "{"): return JSON5Node(value: try object(depth: depth), position: start)
    case UInt8(ascii: "["): return JSON5Node(value: try list(depth: depth), position: start)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return JSON5Node(value: .string(try string()), position: start)
    default: return JSON5Node(value: try scalar(), position: start)
    }
  }

  private mutating func object(depth: Int) throws(JSON5Error) -> JSON5Value {
    _ = take()
    var members: [JSON5Member] = []
    while true {
      try skipBlanks()
      if peek == UInt8(ascii: "}") { break }
      let keyPosition = position
      let key = try self.key()
      if let first = members.first(where: { $0.key == key }) {
        throw JSON5Error(
          complaint: "\(quoted(key)) is set twice (first in line \(first.keyPosition.line))",
          position: keyPosition)
      }
      try skipBlanks()
      guard peek == UInt8(ascii: ":") else { throw error("a ':' is missing after \(quoted(key))") }
      _ = take()
      members.append(
        JSON5Member(key: key, keyPosition: keyPosition, node: try value(depth: depth + 1)))
      try skipBlanks()
      if peek == UInt8(ascii: ",") { _ = take() } else { break }
    }
    guard peek == UInt8(ascii: "}") else { throw error("a ',' or '}' is missing here") }
    _ = take()
    return .object(members)
  }

  private mutating func list(depth: Int) throws(JSON5Error) -> JSON5Value {
    _ = take()
    var elements: [JSON5Node] = []
    while true {
      try skipBlanks()
      if peek == UInt8(ascii: "]") { break }
      elements.append(try value(depth: depth + 1))
      try skipBlanks()
      if peek == UInt8(ascii: ",") { _ = take() } else { break }
    }
    guard peek == UInt8(ascii: "]") else { throw error("a ',' or ']' is missing here") }
    _ = take()
    return .list(elements)
  }

  private mutating func key() throws(JSON5Error) -> String {
    if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try string() }
    let name = word()
    if name.isEmpty { throw error("a key is missing here") }
    return name
  }

  /// `true`, `false`, `null` or a number.
  private mutating func scalar() throws(JSON5Error) -> JSON5Value {
    let start = self
    let sign: UInt8? = peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") ? take() : nil
    let word = self.word(alsoDot: true)
    if sign == nil {
      switch word {
      case "null": return .null
      case "true": return .bool(true)
      case "false": return .bool(false)
      default: break
      }
    }
    if let number = Self.number(word, isNegative: sign == UInt8(ascii: "-")) { return number }
    let found = start.peek.map { Self.name(of: $0, word: word) } ?? ""
    throw start.error("\(found) is not a value (a string needs quotes)")
  }

  private static func name(of byte: UInt8, word: String) -> String {
    word.isEmpty ? quoted(String(decoding: [byte], as: UTF8.self)) : quoted(word)
  }

  private static func number(_ word: String, isNegative: Bool) -> JSON5Value? {
    let sign = isNegative ? "-" : ""
    let lower = word.lowercased()
    if lower.hasPrefix("0x") { return Int64(sign + lower.dropFirst(2), radix: 16).map { .integer($0) } }
    guard let first = lower.utf8.first, first == UInt8(ascii: ".") || (0x30...0x39).contains(first) else {
      return nil
    }
    if let integer = Int64(sign + lower) { return .integer(integer) }
    guard let number = Double(sign + lower), number.isFinite else { return nil }
    return .number(number)
  }

  /// An identifier or the body of a number; after `e` a number may have a sign.
  private mutating func word(alsoDot: Bool = false) -> String {
    let start = offset
    while let byte = peek {
      let isSignOfExponent =
        alsoDot && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")) && offset > start
        && text[offset - 1] | 0x20 == UInt8(ascii: "e")
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xFF:
        break
      case UInt8(ascii: ".") where alsoDot: break
      case _ where isSignOfExponent: break
      default: return String(decoding: bytes(from: start), as: UTF8.self)
      }
      _ = take()
    }
    return String(decoding: bytes(from: start), as: UTF8.self)
  }
}
