/// A member's name, still as it stands in the text; comparing it with a literal allocates nothing.
public struct JSONKey {
  /// What is between the quotes; escapes are valid.
  let literal: UnsafeRawBufferPointer

  /// Whether the name is this one. Literals are ASCII without characters that need escapes.
  public static func == (key: JSONKey, name: StaticString) -> Bool {
    let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    if key.literal.elementsEqual(bytes) { return true }
    // An escaped name is rare; it is the same name all the same.
    return key.literal.contains(UInt8(ascii: "\\")) && key.string.utf8.elementsEqual(bytes)
  }

  /// For `switch` over literals.
  public static func ~= (name: StaticString, key: JSONKey) -> Bool { key == name }

  /// The name, unescaped.
  public var string: String {
    guard literal.contains(UInt8(ascii: "\\")) else { return String(decoding: literal, as: UTF8.self) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(literal.count)
    var index = 0
    while index < literal.count {
      let byte = literal[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      let escape = literal[index]
      index += 1
      switch escape {
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "u"): appendScalar(&index, to: &bytes)
      default: bytes.append(escape)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The four digits behind `\u`, or two such escapes that make a surrogate pair.
  private func appendScalar(_ index: inout Int, to bytes: inout [UInt8]) {
    var value = codeUnit(at: index)
    index += 4
    if value & 0xFC00 == 0xD800 {
      value = 0x10000 + (value & 0x3FF) << 10 + (codeUnit(at: index + 2) & 0x3FF)
      index += 6
    }
    guard let scalar = Unicode.Scalar(value) else { return }
    bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private func codeUnit(at index: Int) -> UInt32 {
    var value: UInt32 = 0
    for digit in literal[index..<(index + 4)] { value = value << 4 | UInt32(hexadecimalValue(digit) ?? 0) }
    return value
  }
}
