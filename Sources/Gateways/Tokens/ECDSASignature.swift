/// The two numbers of an ECDSA signature: side by side in a token (RFC 7518 §3.4), in DER for OpenSSL (RFC 3279 §2.2.3).
enum ECDSASignature {
  /// - Parameters:
  ///   - raw: both numbers, big-endian, each of `half` bytes.
  ///   - half: the bytes of one.
  /// - Returns: nil for another length.
  static func der(_ raw: [UInt8], half: Int) -> [UInt8]? {
    guard raw.count == 2 * half else { return nil }
    return DER.sequence([DER.integer(raw[..<half]), DER.integer(raw[half...])])
  }

  /// The other way; `der` is OpenSSL's own, so that nothing else than two numbers is expected.
  static func raw(_ der: [UInt8], half: Int) -> [UInt8]? {
    var rest = der[...]
    guard let content = DER.take(0x30, from: &rest), rest.isEmpty else { return nil }
    rest = content
    guard let first = DER.take(0x02, from: &rest), let second = DER.take(0x02, from: &rest), rest.isEmpty
    else { return nil }
    guard let r = padded(first, to: half), let s = padded(second, to: half) else { return nil }
    return r + s
  }

  private static func padded(_ number: ArraySlice<UInt8>, to count: Int) -> [UInt8]? {
    let digits = number.drop { $0 == 0 }
    guard digits.count <= count else { return nil }
    return [UInt8](repeating: 0, count: count - digits.count) + digits
  }
}

/// The little of DER (ITU-T X.690) that keys and signatures need.
enum DER {
  static func sequence(_ elements: [[UInt8]]) -> [UInt8] { element(0x30, Array(elements.joined())) }

  /// A number that is not negative, given big-endian.
  static func integer(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var digits = Array(bytes.drop { $0 == 0 })
    // A first bit of one would make it negative.
    if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
    return element(0x02, digits)
  }

  static func bitString(_ bytes: [UInt8]) -> [UInt8] { element(0x03, [0] + bytes) }

  static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    if content.count < 0x80 {
      length = [UInt8(content.count)]
    } else {
      var rest = content.count
      while rest > 0 {
        length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
        rest >>= 8
      }
      length.insert(0x80 | UInt8(length.count), at: 0)
    }
    return [tag] + length + content
  }

  /// Takes an element of that tag off the front; lengths up to 65,535.
  static func take(_ tag: UInt8, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard bytes.popFirst() == tag, let first = bytes.popFirst() else { return nil }
    var count = Int(first)
    if first >= 0x80 {
      guard first == 0x81 || first == 0x82 else { return nil }
      count = 0
      for _ in 0..<(first & 0x7F) {
        guard let byte = bytes.popFirst() else { return nil }
        count = count << 8 | Int(byte)
      }
    }
    guard count <= bytes.count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }
}
