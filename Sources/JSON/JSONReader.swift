import Bytes

/// Reads JSON (RFC 8259) from bytes, value by value, without building a tree.
///
/// What is not read is validated all the same, so that a raw value can be handed on. Never recurses further than its limit on
/// depth.
public struct JSONReader {
  /// What kind of value comes next.
  public enum Kind: Sendable, Hashable {
    case object, array, string, number, bool, null
  }

  let text: UnsafeRawBufferPointer
  var position = 0
  /// Arrays and objects that may still be opened.
  var depthLeft: Int

  /// Makes a reader at the start of a text, which must outlive it.
  ///
  /// - Parameters:
  ///   - text: UTF-8; nothing is assumed of it.
  ///   - maximumDepth: how deep arrays and objects may nest.
  public init(_ text: UnsafeRawBufferPointer, maximumDepth: Int = 128) {
    self.text = text
    depthLeft = maximumDepth
  }

  /// Where the reader stands, in bytes from the start.
  public var offset: Int { position }

  // MARK: Structure

  /// The kind of the next value.
  public mutating func peekKind() throws(JSONError) -> Kind {
    switch try nextByte("A value is expected.") {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw JSONError(.invalid, at: position, "A value is expected.")
    }
  }

  /// Reads an object. `member` is called for each, with the reader before its value; a value that it does not read is
  /// skipped.
  public mutating func readObject(
    _ member: (inout JSONReader, JSONKey) throws(JSONError) -> Void
  ) throws(JSONError) {
    try open(UInt8(ascii: "{"), "An object is expected.")
    if try closes(UInt8(ascii: "}")) { return }
    repeat {
      guard try nextByte("A member's name is expected.") == UInt8(ascii: "\"") else {
        throw JSONError(.invalid, at: position, "A member's name is expected.")
      }
      let key = JSONKey(literal: try scanString())
      guard try nextByte("A colon is expected.") == UInt8(ascii: ":") else {
        throw JSONError(.invalid, at: position, "A colon is expected.")
      }
      position += 1
      skipSpace()
      let before = position
      try member(&self, key)
      if position == before { try skipValue() }
    } while try goesOn(closing: UInt8(ascii: "}"))
  }

  /// Reads an array. `element` is called before each; one that it does not read is skipped.
  public mutating func readArray(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
    try open(UInt8(ascii: "["), "An array is expected.")
    if try closes(UInt8(ascii: "]")) { return }
    repeat {
      skipSpace()
      let before = position
      try element(&self)
      if position == before { try skipValue() }
    } while try goesOn(closing: UInt8(ascii: "]"))
  }

  /// Says that the text must end here.
  public mutating func finish() throws(JSONError) {
    skipSpace()
    guard position == text.count else { throw JSONError(.invalid, at: position, "The text should end.") }
  }

  // MARK: Values

  /// Reads any value, validates it, and lends its text.
  public mutating func readRaw() throws(JSONError) -> UnsafeRawBufferPointer {
    skipSpace()
    let start = position
    try skipValue()
    return UnsafeRawBufferPointer(rebasing: text[start..<position])
  }

  /// Reads a string.
  public mutating func readString() throws(JSONError) -> String {
    guard try peekKind() == .string else { throw JSONError(.mismatch, at: position, "A string is expected.") }
    return JSONKey(literal: try scanString()).string
  }

  /// Reads `true` or `false`.
  public mutating func readBool() throws(JSONError) -> Bool {
    guard try peekKind() == .bool else {
      throw JSONError(.mismatch, at: position, "true or false is expected.")
    }
    let value = text[position] == UInt8(ascii: "t")
    try skipValue()
    return value
  }

  /// Reads `null`, if it is what comes next.
  public mutating func readNull() throws(JSONError) -> Bool {
    guard try peekKind() == .null else { return false }
    try skipValue()
    return true
  }

  /// Reads a whole number.
  public mutating func readInt64() throws(JSONError) -> Int64 { try readInteger() }

  /// Reads a whole number that is not negative.
  public mutating func readUInt64() throws(JSONError) -> UInt64 { try readInteger() }

  /// Reads a number that is finite as a `Double`.
  public mutating func readDouble() throws(JSONError) -> Double {
    let start = position
    let literal = try readNumber()
    guard let value = Double(literal), value.isFinite else {
      throw JSONError(.mismatch, at: start, "The number is too large.")
    }
    return value
  }

  private mutating func readInteger<Number: FixedWidthInteger>() throws(JSONError) -> Number {
    let start = position
    let literal = try readNumber()
    // A number such as 1e3 or 5.0 is whole, too.
    if let value = Number(literal) { return value }
    // Beyond 2^53 a Double rounds: -9223372036854775809 would become Int64.min.
    if let double = Double(literal), double.magnitude < 0x1p53, let value = Number(exactly: double) {
      return value
    }
    throw JSONError(.mismatch, at: start, "A whole number within range is expected.")
  }

  private mutating func readNumber() throws(JSONError) -> String {
    guard try peekKind() == .number else { throw JSONError(.mismatch, at: position, "A number is expected.") }
    return String(decoding: try readRaw(), as: UTF8.self)
  }

  // MARK: Punctuation

  mutating func skipSpace() {
    while position < text.count, JSONReader.isSpace(text[position]) { position += 1 }
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private mutating func nextByte(_ expectation: StaticString) throws(JSONError) -> UInt8 {
    skipSpace()
    guard position < text.count else { throw JSONError(.truncated, at: position, "\(expectation)") }
    return text[position]
  }

  private mutating func open(_ byte: UInt8, _ expectation: StaticString) throws(JSONError) {
    guard try nextByte(expectation) == byte else {
      throw JSONError(.mismatch, at: position, "\(expectation)")
    }
    guard depthLeft > 0 else { throw JSONError(.tooDeep, at: position, "The text is nested too deeply.") }
    depthLeft -= 1
    position += 1
  }

  private mutating func closes(_ byte: UInt8) throws(JSONError) -> Bool {
    guard try nextByte("A value or the end is expected.") == byte else { return false }
    position += 1
    depthLeft += 1
    return true
  }

  private mutating func goesOn(closing byte: UInt8) throws(JSONError) -> Bool {
    let next = try nextByte("A comma or the end is expected.")
    position += 1
    if next == UInt8(ascii: ",") { return true }
    guard next == byte else { throw JSONError(.invalid, at: position - 1, "A comma or the end is expected.") }
    depthLeft += 1
    return false
  }
}
