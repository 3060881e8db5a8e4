import JSON

/// Lays a JSON text out over several lines and colours it. Numbers, escapes and the order of members stay as they were
/// written.
struct JSONLayout {
  /// Values that fit into so many columns stay on one line.
  private static let maximumLineColumns = 72

  private let style: Style
  private var result = ""

  /// The text laid out; nil if it is not an object or an array.
  static func of(_ text: String, style: Style) -> String? {
    let bytes = Array(text.utf8)
    guard let first = bytes.first(where: { !isBlank($0) }), first == 0x7B || first == 0x5B,
      isValid(bytes)
    else { return nil }
    var layout = JSONLayout(style)
    layout.write(tokens(of: bytes))
    return layout.result
  }

  private init(_ style: Style) { self.style = style }

  private static func isValid(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes {
      var reader = JSONReader($0)
      return (try? reader.readRaw()) != nil && (try? reader.finish()) != nil
    }
  }

  private enum Token {
    case open(String)
    case close(String)
    case comma
    case colon
    case name(String)
    case string(String)
    case literal(String)

    var text: String {
      switch self {
      case .open(let text), .close(let text), .name(let text), .string(let text), .literal(let text): text
      case .comma: ","
      case .colon: ":"
      }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  /// The pieces of a text that is known to be JSON.
  private static func tokens(of bytes: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var place = 0
    while place < bytes.count {
      let start = place
      place += 1
      switch bytes[start] {
      case let byte where isBlank(byte): break
      case UInt8(ascii: "{"), UInt8(ascii: "["): tokens.append(.open(text(bytes[start..<place])))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): tokens.append(.close(text(bytes[start..<place])))
      case UInt8(ascii: ","): tokens.append(.comma)
      case UInt8(ascii: ":"):
        if case .string(let name)? = tokens.popLast() { tokens.append(.name(name)) }
        tokens.append(.colon)
      case UInt8(ascii: "\""):
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
          place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        place = min(bytes.count, place + 1)
        tokens.append(.string(text(bytes[start..<place])))
      default:
        while place < bytes.count, !isBlank(bytes[place]), !",:]}".utf8.contains(bytes[place]) { place += 1 }
        tokens.append(.literal(text(bytes[start..<place])))
      }
    }
    return tokens
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self).fitForTerminal
  }

  // MARK: Lines

  private mutating func write(_ tokens: [Token]) {
    let ends = Self.ends(of: tokens)
    var depth = 0
    var isOnOneLine = 0
    for (index, token) in tokens.enumerated() {
      switch token {
      case .open(let bracket):
        result += bracket
        let end = ends[index] ?? index
        depth += 1
        let isShort = Self.columns(tokens[index...end]) + depth * 2 <= Self.maximumLineColumns
        if isOnOneLine > 0 || end == index + 1 || isShort {
          isOnOneLine += 1
        } else {
          newLine(depth)
        }
      case .close(let bracket):
        depth -= 1
        if isOnOneLine > 0 { isOnOneLine -= 1 } else { newLine(depth) }
        result += bracket
      case .comma:
        result += ","
        if isOnOneLine > 0 { result += " " } else { newLine(depth) }
      case .colon: result += ": "
      case .name(let text): result += style.paint(text, .blue)
      case .string(let text): result += style.paint(text, .green)
      case .literal(let text):
        result += style.paint(text, "tfn".contains(text.first ?? "0") ? .magenta : .cyan)
      }
    }
  }

  /// For each opening bracket its closing one.
  private static func ends(of tokens: [Token]) -> [Int: Int] {
    var ends: [Int: Int] = [:]
    var open: [Int] = []
    for (index, token) in tokens.enumerated() {
      if case .open = token { open.append(index) }
      if case .close = token, let start = open.popLast() { ends[start] = index }
    }
    return ends
  }

  /// What tokens take on one line; stops counting where it is too much.
  private static func columns(_ tokens: ArraySlice<Token>) -> Int {
    var count = 0
    for token in tokens {
      count += DisplayWidth.of(token.text) + 1
      if count > maximumLineColumns { break }
    }
    return count
  }

  private mutating func newLine(_ depth: Int) { result += "\n" + String(repeating: "  ", count: depth) }
}
