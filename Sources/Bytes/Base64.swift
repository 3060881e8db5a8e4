/// Base64 (RFC 4648 §4 and §5), strict in decoding.
public enum Base64 {
  /// Which 64 characters are used.
  public enum Alphabet: Sendable {
    /// `+` and `/`.
    case standard
    /// `-` and `_`, as in tokens and URLs.
    case url
  }

  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

  /// Encodes bytes.
  public static func encode(
    _ bytes: some Collection<UInt8>, alphabet: Alphabet = .standard, padding: Bool = true
  ) -> String {
    let table = letters + (alphabet == .standard ? Array("+/".utf8) : Array("-_".utf8))
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var bits: UInt32 = 0
    var held = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      held += 1
      guard held == 3 else { continue }
      for shift in [18, 12, 6, 0] as [UInt32] { text.append(table[Int(bits >> shift & 63)]) }
      bits = 0
      held = 0
    }
    if held > 0 {
      bits <<= held == 1 ? 4 : 2
      for place in stride(from: held, through: 0, by: -1) {
        text.append(table[Int(bits >> UInt32(place * 6) & 63)])
      }
      if padding { text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - held)) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Decodes a text.
  ///
  /// - Parameters:
  ///   - text: the characters, without white space.
  ///   - alphabet: characters of the other alphabet are refused.
  ///   - padding: whether `=` must be there, or must not.
  /// - Returns: nil if the text is not what the encoder writes: bits left over must be zero.
  public static func decode(
    _ text: some Collection<UInt8>, alphabet: Alphabet = .standard, padding: Bool = true
  ) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var held = 0
    var padded = 0
    for character in text {
      if character == UInt8(ascii: "=") {
        padded += 1
        continue
      }
      guard padded == 0, let value = value(of: character, alphabet) else { return nil }
      bits = (bits << 6 | value) & 0xFF_FFFF
      held += 1
      guard held == 4 else { continue }
      for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
      bits = 0
      held = 0
    }
    guard held != 1, padded == (padding && held > 0 ? 4 - held : 0) else { return nil }
    switch held {
    case 2:
      guard bits & 0xF == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
    case 3:
      guard bits & 0x3 == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
    default: break
    }
    return bytes
  }

  /// Decodes a string's characters.
  public static func decode(_ text: String, alphabet: Alphabet = .standard, padding: Bool = true) -> [UInt8]?
  {
    decode(text.utf8, alphabet: alphabet, padding: padding)
  }

  private static func value(of character: UInt8, _ alphabet: Alphabet) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+") where alphabet == .standard, UInt8(ascii: "-") where alphabet == .url: 62
    case UInt8(ascii: "/") where alphabet == .standard, UInt8(ascii: "_") where alphabet == .url: 63
    default: nil
    }
  }
}
