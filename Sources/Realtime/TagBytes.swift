import Glibc

/// How a filter looks at tags: by their bytes. Swift compares texts by what they mean, which may take allocations, and
/// would call two spellings of `é` the same where a client's own comparison does not.
extension TagsFilter {
  typealias Text = UnsafeBufferPointer<UInt8>

  static func isSame(_ a: String, _ b: String) -> Bool {
    withBytes(a, b) { a, b in a.count == b.count && starts(a, with: b) }
  }

  static func starts(_ text: Text, with part: Text) -> Bool {
    guard part.count <= text.count else { return false }
    guard let start = text.baseAddress, let other = part.baseAddress else { return part.isEmpty }
    return memcmp(start, other, part.count) == 0
  }

  static func ends(_ text: Text, with part: Text) -> Bool {
    guard part.count <= text.count else { return false }
    return starts(Text(rebasing: text[(text.count - part.count)...]), with: part)
  }

  static func withBytes<Result>(_ a: String, _ b: String, _ body: (Text, Text) -> Result) -> Result {
    withBytes(a) { a in withBytes(b) { b in body(a, b) } }
  }

  /// The texts come from the wire, so they are native, and this copies nothing.
  static func withBytes<Result>(_ text: String, _ body: (Text) -> Result) -> Result {
    if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
    var copy = text
    return copy.withUTF8(body)
  }
}

/// A text that is searched for in linear time, whatever the texts: Knuth, Morris and Pratt's way.
struct SearchedText: Sendable {
  private let bytes: [UInt8]
  /// For each place, how much of the beginning ends there.
  private let borders: [Int]

  init(_ text: String) {
    let bytes = Array(text.utf8)
    var borders = Array(repeating: 0, count: bytes.count)
    var length = 0
    for index in bytes.indices.dropFirst() {
      while length > 0, bytes[index] != bytes[length] { length = borders[length - 1] }
      if bytes[index] == bytes[length] { length += 1 }
      borders[index] = length
    }
    self.bytes = bytes
    self.borders = borders
  }

  func isIn(_ text: TagsFilter.Text) -> Bool {
    var length = 0
    for byte in text {
      while length > 0, byte != bytes[length] { length = borders[length - 1] }
      if byte == bytes[length] { length += 1 }
      if length == bytes.count { return true }
    }
    return false
  }
}

/// Decimal numbers as texts: an optional sign, digits, and maybe a point with more digits.
enum DecimalText {
  /// Negative when `a` is less than `b`, 0 when they are the same number, positive when it is greater; nil when one
  /// of them is none. Exact, for any number of digits.
  static func order(_ a: String, _ b: String) -> Int? {
    TagsFilter.withBytes(a, b) { a, b in
      guard let a = Number(a), let b = Number(b) else { return nil }
      if a.isZero, b.isZero { return 0 }
      if a.isNegative != b.isNegative { return a.isZero || b.isZero ? signed(a, b) : (a.isNegative ? -1 : 1) }
      let order = a.magnitudeOrder(b)
      return a.isNegative ? -order : order
    }
  }

  /// One of them is zero.
  private static func signed(_ a: Number, _ b: Number) -> Int {
    if a.isZero { return b.isNegative ? 1 : -1 }
    return a.isNegative ? -1 : 1
  }

  private struct Number {
    var isNegative = false
    /// Without leading zeros.
    var whole: TagsFilter.Text.SubSequence
    /// Without trailing zeros.
    var fraction: TagsFilter.Text.SubSequence

    var isZero: Bool { whole.isEmpty && fraction.isEmpty }

    init?(_ text: TagsFilter.Text) {
      var rest = text[...]
      if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
        isNegative = first == UInt8(ascii: "-")
        rest = rest.dropFirst()
      }
      let point = rest.firstIndex(of: UInt8(ascii: "."))
      whole = rest[rest.startIndex..<(point ?? rest.endIndex)]
      fraction = point.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
      guard !whole.isEmpty || !fraction.isEmpty else { return nil }
      guard whole.allSatisfy(Self.isDigit), fraction.allSatisfy(Self.isDigit) else { return nil }
      while whole.first == UInt8(ascii: "0") { whole = whole.dropFirst() }
      while fraction.last == UInt8(ascii: "0") { fraction = fraction.dropLast() }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    func magnitudeOrder(_ other: Number) -> Int {
      if whole.count != other.whole.count { return whole.count < other.whole.count ? -1 : 1 }
      let order = Self.order(whole, other.whole)
      return order != 0 ? order : Self.order(fraction, other.fraction)
    }

    /// As texts; the shorter of two with the same beginning comes first.
    private static func order(_ a: TagsFilter.Text.SubSequence, _ b: TagsFilter.Text.SubSequence) -> Int {
      let count = min(a.count, b.count)
      for index in 0..<count {
        let (x, y) = (a[a.startIndex + index], b[b.startIndex + index])
        if x != y { return x < y ? -1 : 1 }
      }
      return a.count == b.count ? 0 : (a.count < b.count ? -1 : 1)
    }
  }
}
