/// Characters of HTTP's grammar.
package enum ASCII {
  static let cr = UInt8(ascii: "\r")
  static let lf = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let colon = UInt8(ascii: ":")

  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  package static func equalIgnoringCase(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var index = 0
    // Most are written alike.
    while index + 8 <= a.count, word(of: a, index) == word(of: b, index) { index += 8 }
    // The last eight, some of them once more.
    if index > 0, index + 8 > a.count, word(of: a, a.count - 8) == word(of: b, a.count - 8) { return true }
    while index < a.count {
      guard a[index] == b[index] || lowercased(a[index]) == lowercased(b[index]) else { return false }
      index += 1
    }
    return true
  }

  /// Without spaces and tabs at both ends.
  static func trimmed<C: BidirectionalCollection<UInt8>>(_ bytes: C) -> C.SubSequence
  where C.SubSequence: BidirectionalCollection {
    var rest = bytes[...]
    while let first = rest.first, isBlank(first) { rest.removeFirst() }
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return rest
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  package static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  /// RFC 9110 §5.6.2: `tchar`: letters, digits, and ``!#$%&'*+-.^_`|~``.
  package static func isToken(_ byte: UInt8) -> Bool {
    // A bit for each character below 64, and for each of the 64 above.
    let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : byte < 128 ? 0x57FF_FFFF_C7FF_FFFE : 0
    return set >> UInt64(byte & 63) & 1 != 0
  }

  /// RFC 9110 §5.5: field values have visible characters, spaces, tabs and obs-text; control characters, CR, LF
  /// and NUL first of all, are refused.
  package static func isFieldValue(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7F || byte == tab
  }

  static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// A decimal number without sign; nil if there is anything else or it does not fit.
  static func decimal(_ bytes: some Collection<UInt8>) -> UInt64? {
    guard !bytes.isEmpty else { return nil }
    var number: UInt64 = 0
    for byte in bytes {
      guard isDigit(byte) else { return nil }
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      number = sum
    }
    return number
  }
}

/// Eight bytes at a time, the first of them lowest.
extension ASCII {
  private static let ones: UInt64 = 0x0101_0101_0101_0101

  static func word(of bytes: Span<UInt8>, _ index: Int) -> UInt64 {
    bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
  }

  /// Has the highest bit of each byte that is neither a letter nor a hyphen.
  static func othersInName(_ word: UInt64) -> UInt64 {
    // No sum reaches the next byte.
    let low = word & (ones &* 0x7F)
    let folded = low | ones &* 0x20
    let letters = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7B))
    let notHyphens = (low ^ ones &* 0x2D) &+ ones &* 0x7F
    return (word | ~letters & notHyphens) & (ones &* 0x80)
  }

  /// Has the highest bit of each byte that a field value must not have, or that is a tab; above the first such byte bits may
  /// be set in vain.
  static func othersInValue(_ word: UInt64) -> UInt64 {
    let deletes = word ^ (ones &* 0x7F)
    return ((word &- ones &* 0x20) & ~word | (deletes &- ones) & ~deletes) & (ones &* 0x80)
  }
}
