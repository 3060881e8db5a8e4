/// A client's identifier in memory. Servers name their clients by UUIDs: as text one has 36 bytes, and an allocation of its
/// own for each connection; as a number it has 16, and its text is made when it is asked for.
enum ClientName: Sendable, Hashable {
  case uuid(UInt64, UInt64)
  case text(String)

  /// Any text; it comes back as it was.
  init(_ text: String) {
    self = Self.uuid(text.utf8) ?? .text(text)
  }

  var text: String {
    switch self {
    case .uuid(let high, let low): Self.text(high, low)
    case .text(let text): text
    }
  }

  /// Where the hyphens are, and how many characters there are.
  private static let hyphens = [8, 13, 18, 23]
  private static let textCount = 36

  /// Only what is written as `text` writes it: in lower case, with all hyphens.
  private static func uuid(_ characters: String.UTF8View) -> ClientName? {
    guard characters.count == textCount else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for (index, character) in characters.enumerated() {
      if hyphens.contains(index) {
        guard character == UInt8(ascii: "-") else { return nil }
        continue
      }
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      default: return nil
      }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
    }
    return .uuid(high, low)
  }

  private static func text(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: textCount) { characters in
      var (high, low) = (high, low)
      for index in 0..<textCount {
        if hyphens.contains(index) {
          characters[index] = UInt8(ascii: "-")
          continue
        }
        let digit = UInt8(truncatingIfNeeded: high >> 60)
        characters[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        high = high << 4 | low >> 60
        low <<= 4
      }
      return textCount
    }
  }
}
