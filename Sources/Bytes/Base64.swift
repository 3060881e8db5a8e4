/// Base64 (RFC 4648 §4 and §5), strict in decoding.
public enum Base64 {
  /// Which 64 characters are used.
  public enum Alphabet: Sendable {
    /// `+` and `/`.
    case standard
    /// `-` and `_`, as in tokens and URLs.
    case url
  }

  /// Encodes bytes.
  public static func encode(
    _ bytes: some Collection<UInt8>, alphabet: Alphabet = .standard, padding: Bool = true
  ) -> String {
    bytes.withContiguousStorageIfAvailable { encode(contiguous: $0, alphabet, padding) }
      ?? Array(bytes).withUnsafeBufferPointer { encode(contiguous: $0, alphabet, padding) }
  }

  private static func encode(
    contiguous bytes: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet, _ padding: Bool
  ) -> String {
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
      var count = 0
      forEachCharacter(of: bytes, alphabet, padding) {
        text[count] = $0
        count += 1
      }
      return count
    }
  }

  /// Writes bytes in the standard alphabet, with padding.
  package static func encode(_ bytes: UnsafeMutableBufferPointer<UInt8>, into writer: inout ByteWriter) {
    forEachCharacter(of: UnsafeBufferPointer(bytes), .standard, true) { writer.append($0) }
  }

  @inline(__always)
  private static func forEachCharacter(
    of bytes: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet, _ padding: Bool, _ body: (UInt8) -> Void
  ) {
    let table: StaticString =
      alphabet == .standard
      ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let held = min(bytes.count - start, 3)
      var bits = UInt32(bytes[start]) << 16
      if held > 1 { bits |= UInt32(bytes[start + 1]) << 8 }
      if held > 2 { bits |= UInt32(bytes[start + 2]) }
      for place in 0..<(padding ? 4 : held + 1) {
        let index = Int(bits >> UInt32(18 - place * 6) & 63)
        body(place <= held ? table.utf8Start[index] : UInt8(ascii: "="))
      }
    }
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
    text.withContiguousStorageIfAvailable { decode(contiguous: $0, alphabet, padding) }
      ?? Array(text).withUnsafeBufferPointer { decode(contiguous: $0, alphabet, padding) }
  }

  private static func decode(
    contiguous text: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet, _ padding: Bool
  ) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    return forEachByte(of: text.span, alphabet, padding) { bytes.append($0) } ? bytes : nil
  }

  /// How many bytes a text in the standard alphabet, with padding, stands for; nil if ``decode(_:alphabet:padding:)`` refuses
  /// it.
  package static func decodedCount(_ text: String) -> Int? {
    var count = 0
    return forEachByte(of: text.utf8Span.span, .standard, true) { _ in count += 1 } ? count : nil
  }

  /// False if the text is not Base64; what was decoded until then is worth nothing.
  @inline(__always)
  private static func forEachByte(
    of text: Span<UInt8>, _ alphabet: Alphabet, _ padding: Bool, _ body: (UInt8) -> Void
  ) -> Bool {
    var bits: UInt32 = 0
    var held = 0
    var padded = 0
    for index in text.indices {
      let character = text[index]
      if character == UInt8(ascii: "=") {
        padded += 1
        continue
      }
      guard padded == 0, let value = value(of: character, alphabet) else { return false }
      bits = (bits << 6 | value) & 0xFF_FFFF
      held += 1
      guard held == 4 else { continue }
      body(UInt8(truncatingIfNeeded: bits >> 16))
      body(UInt8(truncatingIfNeeded: bits >> 8))
      body(UInt8(truncatingIfNeeded: bits))
      bits = 0
      held = 0
    }
    guard held != 1, padded == (padding && held > 0 ? 4 - held : 0) else { return false }
    switch held {
    case 2:
      guard bits & 0xF == 0 else { return false }
      body(UInt8(truncatingIfNeeded: bits >> 4))
    case 3:
      guard bits & 0x3 == 0 else { return false }
      body(UInt8(truncatingIfNeeded: bits >> 10))
      body(UInt8(truncatingIfNeeded: bits >> 2))
    default: break
    }
    return true
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
