import Bytes

extension JSONReader {
  /// Passes over a value of any kind and validates it; nesting is kept on a bounded stack, not by recursion.
  mutating func skipValue() throws(JSONError) {
    // One bit a level: whether it is an object. The level under way is the lowest bit of the last word.
    var kinds = NestingStack(limit: depthLeft)
    var isValueDue = true
    while true {
      skipSpace()
      guard position < text.count else {
        throw JSONError(.truncated, at: position, "The text ends inside a value.")
      }
      let byte = text[position]
      if isValueDue {
        switch byte {
        case UInt8(ascii: "{"):
          guard kinds.push(isObject: true) else { throw tooDeep }
          position += 1
          if try endsAtOnce(UInt8(ascii: "}")) {
            kinds.pop()
          } else {
            try scanName()
            continue
          }
        case UInt8(ascii: "["):
          guard kinds.push(isObject: false) else { throw tooDeep }
          position += 1
          if try endsAtOnce(UInt8(ascii: "]")) { kinds.pop() } else { continue }
        case UInt8(ascii: "\""): _ = try scanString()
        case UInt8(ascii: "t"): try scan("true")
        case UInt8(ascii: "f"): try scan("false")
        case UInt8(ascii: "n"): try scan("null")
        default: try scanNumber()
        }
        isValueDue = false
      } else if byte == UInt8(ascii: ",") {
        position += 1
        if kinds.isObject { try scanName() }
        isValueDue = true
        continue
      } else if byte == (kinds.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        position += 1
        kinds.pop()
      } else {
        throw JSONError(.invalid, at: position, "A comma or the end is expected.")
      }
      if kinds.isEmpty { return }
    }
  }

  private var tooDeep: JSONError { JSONError(.tooDeep, at: position, "The text is nested too deeply.") }

  private mutating func endsAtOnce(_ byte: UInt8) throws(JSONError) -> Bool {
    skipSpace()
    guard position < text.count, text[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func scanName() throws(JSONError) {
    skipSpace()
    guard position < text.count, text[position] == UInt8(ascii: "\"") else {
      throw JSONError(
        position < text.count ? .invalid : .truncated, at: position, "A member's name is expected.")
    }
    _ = try scanString()
    skipSpace()
    guard position < text.count, text[position] == UInt8(ascii: ":") else {
      throw JSONError(position < text.count ? .invalid : .truncated, at: position, "A colon is expected.")
    }
    position += 1
  }

  /// Passes over a string, from its opening quote on, and lends what is between its quotes.
  mutating func scanString() throws(JSONError) -> UnsafeRawBufferPointer {
    position += 1
    let start = position
    while position < text.count {
      let byte = text[position]
      switch byte {
      case UInt8(ascii: "\""):
        let content = UnsafeRawBufferPointer(rebasing: text[start..<position])
        guard UTF8Validator.validate(content) else {
          throw JSONError(.invalid, at: start, "The string is not UTF-8.")
        }
        position += 1
        return content
      case UInt8(ascii: "\\"): try scanEscape()
      case 0..<0x20: throw JSONError(.invalid, at: position, "A control character must be escaped.")
      default: position += 1
      }
    }
    throw JSONError(.truncated, at: position, "The string has no end.")
  }

  private mutating func scanEscape() throws(JSONError) {
    let start = position
    guard position + 1 < text.count else {
      throw JSONError(.truncated, at: position, "The string has no end.")
    }
    position += 2
    switch text[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return
    case UInt8(ascii: "u"):
      let unit = try scanCodeUnit()
      guard unit & 0xF800 == 0xD800 else { return }
      // A surrogate means something only as the first of a pair.
      guard unit < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
        text[position + 1] == UInt8(ascii: "u")
      else { throw JSONError(.invalid, at: start, "A surrogate has no partner.") }
      position += 2
      guard try scanCodeUnit() & 0xFC00 == 0xDC00 else {
        throw JSONError(.invalid, at: start, "A surrogate has no partner.")
      }
    default: throw JSONError(.invalid, at: start, "There is no such escape.")
    }
  }

  private mutating func scanCodeUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard position < text.count, let digit = hexadecimalValue(text[position]) else {
        throw JSONError(.invalid, at: position, "Four hexadecimal digits are expected.")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private mutating func scan(_ word: StaticString) throws(JSONError) {
    let end = position + word.utf8CodeUnitCount
    let expected = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard end <= text.count, text[position..<end].elementsEqual(expected) else {
      throw JSONError(.invalid, at: position, "A value is expected.")
    }
    position = end
  }

  /// RFC 8259 §6: `[ minus ] int [ frac ] [ exp ]`.
  private mutating func scanNumber() throws(JSONError) {
    let start = position
    if position < text.count, text[position] == UInt8(ascii: "-") { position += 1 }
    let digits = scanDigits()
    guard digits > 0 else { throw JSONError(.invalid, at: start, "A value is expected.") }
    guard digits == 1 || text[position - digits] != UInt8(ascii: "0") else {
      throw JSONError(.invalid, at: start, "A number must not begin with 0.")
    }
    if position < text.count, text[position] == UInt8(ascii: ".") {
      position += 1
      guard scanDigits() > 0 else { throw JSONError(.invalid, at: position, "A digit is expected.") }
    }
    if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
        position += 1
      }
      guard scanDigits() > 0 else { throw JSONError(.invalid, at: position, "A digit is expected.") }
    }
  }

  private mutating func scanDigits() -> Int {
    let start = position
    while position < text.count, text[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    return position - start
  }
}

/// The value of a hexadecimal digit.
func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// Which of the open levels are objects, one bit each: two words inline, enough for the default limit.
private struct NestingStack {
  private var bits: (UInt64, UInt64) = (0, 0)
  private var deep: [Bool] = []
  private var depth = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { depth == 0 }

  var isObject: Bool {
    if depth > 128 { return deep[depth - 129] }
    let index = UInt64(depth - 1)
    return (index < 64 ? bits.0 >> index : bits.1 >> (index - 64)) & 1 == 1
  }

  mutating func push(isObject: Bool) -> Bool {
    guard depth < limit else { return false }
    depth += 1
    let index = UInt64(depth - 1)
    let bit: UInt64 = isObject ? 1 : 0
    if depth > 128 {
      deep.append(isObject)
    } else if index < 64 {
      bits.0 = bits.0 & ~(1 << index) | bit << index
    } else {
      bits.1 = bits.1 & ~(1 << (index - 64)) | bit << (index - 64)
    }
    return true
  }

  mutating func pop() {
    if depth > 128 { deep.removeLast() }
    depth -= 1
  }
}
