/// The usual spelling of a UUID (RFC 9562 §4): 32 hexadecimal digits in lower case, in five groups with hyphens between.
public enum UUIDText {
  private static let characterCount = 36

  private static func isHyphen(_ index: Int) -> Bool {
    index == 8 || index == 13 || index == 18 || index == 23
  }

  /// Spells the 128 bits.
  public static func make(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: characterCount) { characters in
      var (high, low) = (high, low)
      for index in 0..<characterCount {
        if isHyphen(index) {
          characters[index] = UInt8(ascii: "-")
          continue
        }
        let digit = UInt8(truncatingIfNeeded: high >> 60)
        characters[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        high = high << 4 | low >> 60
        low <<= 4
      }
      return characterCount
    }
  }

  /// The bits of what is spelled as `make` spells it, in lower case and with all hyphens; nil for everything else.
  public static func read(_ text: String) -> (high: UInt64, low: UInt64)? {
    let characters = text.utf8
    guard characters.count == characterCount else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for (index, character) in characters.enumerated() {
      if isHyphen(index) {
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
    return (high, low)
  }
}
