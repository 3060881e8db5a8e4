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
    String(unsafeUninitializedCapacity: encodedCount(of: bytes)) { write(bytes, to: $0, alphabet, padding) }
  }

  /// Writes bytes in the standard alphabet, with padding.
  package static func encode(_ bytes: UnsafeMutableBufferPointer<UInt8>, into writer: inout ByteWriter) {
    let bytes = UnsafeBufferPointer(bytes)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: encodedCount(of: bytes)) { text in
      let count = write(bytes, to: text, .standard, true)
      writer.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[..<count]))
    }
  }

  /// With padding.
  private static func encodedCount(of bytes: UnsafeBufferPointer<UInt8>) -> Int { (bytes.count + 2) / 3 * 4 }

  /// Writes the characters; returns how many there are.
  private static func write(
    _ bytes: UnsafeBufferPointer<UInt8>, to text: UnsafeMutableBufferPointer<UInt8>, _ alphabet: Alphabet,
    _ padding: Bool
  ) -> Int {
    let table = characters(of: alphabet).utf8Start
    var count = 0
    func put(_ bits: UInt32) {
      text[count] = table[Int(bits & 63)]
      count &+= 1
    }
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let held = min(bytes.count - start, 3)
      var bits = UInt32(bytes[start]) << 16
      if held > 1 { bits |= UInt32(bytes[start + 1]) << 8 }
      if held > 2 { bits |= UInt32(bytes[start + 2]) }
      put(bits >> 18)
      put(bits >> 12)
      if held > 1 { put(bits >> 6) }
      if held > 2 { put(bits) }
    }
    while padding, !count.isMultiple(of: 4) {
      text[count] = UInt8(ascii: "=")
      count += 1
    }
    return count
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
    var text = text
    return text.withUTF8 { forEachByte(of: $0.span, .standard, true) { _ in count += 1 } } ? count : nil
  }

  /// False if the text is not Base64; what was decoded until then is worth nothing.
  @inline(__always)
  private static func forEachByte(
    of text: Span<UInt8>, _ alphabet: Alphabet, _ padding: Bool, _ body: (UInt8) -> Void
  ) -> Bool {
    let values = (alphabet == .standard ? standardValues : urlValues).span
    var bits: UInt32 = 0
    var held = 0
    var padded = 0
    var index = 0
    while index + 4 <= text.count {
      let (a, b) = (values[Int(text[index])], values[Int(text[index + 1])])
      let (c, d) = (values[Int(text[index + 2])], values[Int(text[index + 3])])
      // What is not of the alphabet is looked at below.
      guard (a | b | c | d) < 64 else { break }
      let bits = a << 18 | b << 12 | c << 6 | d
      body(UInt8(truncatingIfNeeded: bits >> 16))
      body(UInt8(truncatingIfNeeded: bits >> 8))
      body(UInt8(truncatingIfNeeded: bits))
      index += 4
    }
    while index < text.count {
      let character = text[index]
      index += 1
      if character == UInt8(ascii: "=") {
        padded += 1
        continue
      }
      let value = values[Int(character)]
      guard padded == 0, value < 64 else { return false }
      bits = bits << 6 | value
      held += 1
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

  private static func characters(of alphabet: Alphabet) -> StaticString {
    alphabet == .standard
      ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  }

  private static let standardValues = values(of: .standard)
  private static let urlValues = values(of: .url)

  /// What each byte stands for; more than 63 for what is not of the alphabet.
  private static func values(of alphabet: Alphabet) -> [UInt32] {
    var values = [UInt32](repeating: .max, count: 256)
    let characters = characters(of: alphabet)
    for value in 0..<64 { values[Int(characters.utf8Start[value])] = UInt32(value) }
    return values
  }
}
