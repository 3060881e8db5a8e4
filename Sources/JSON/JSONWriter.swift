import Bytes

/// Writes compact JSON: sees to commas, colons and escapes.
public struct JSONWriter: Sendable {
  private var writer = ByteWriter()
  /// Whether a comma is due before the next name or element.
  private var needsComma = false

  /// Makes an empty writer.
  public init() {}

  /// What was written.
  public var bytes: [UInt8] { writer.bytes }

  /// Empties the writer and keeps its memory.
  public mutating func removeAll() {
    writer.removeAll()
    needsComma = false
  }

  /// Begins an object.
  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  /// Ends an object.
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  /// Begins an array.
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  /// Ends an array.
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// Writes a member's name, which is ASCII without characters that need escapes.
  public mutating func key(_ name: StaticString) {
    comma()
    writer.append(UInt8(ascii: "\""))
    writer.append(name)
    writer.append("\":")
    needsComma = false
  }

  /// Writes a member's name. Disfavored, because a literal would be a `String` first and be searched for escapes.
  @_disfavoredOverload
  public mutating func key(_ name: String) {
    comma()
    appendString(name)
    writer.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a string.
  public mutating func string(_ text: String) {
    comma()
    appendString(text)
    needsComma = true
  }

  /// Writes a whole number.
  public mutating func number(_ number: some BinaryInteger & Sendable) {
    comma()
    writer.appendDecimal(number)
    needsComma = true
  }

  /// Writes a number in the shortest form that reads back the same; one that is not finite becomes `null`.
  public mutating func number(_ number: Double) {
    comma()
    if !number.isFinite {
      writer.append("null")
    } else if let whole = Int64(exactly: number) {
      writer.appendDecimal(whole)
    } else {
      writer.append(utf8: "\(number)")
    }
    needsComma = true
  }

  /// Writes `true` or `false`.
  public mutating func bool(_ value: Bool) {
    comma()
    writer.append(value ? "true" : "false")
    needsComma = true
  }

  /// Writes `null`.
  public mutating func null() {
    comma()
    writer.append("null")
    needsComma = true
  }

  /// Writes a value that is JSON already.
  public mutating func raw(_ json: UnsafeRawBufferPointer) {
    comma()
    writer.append(json)
    needsComma = true
  }

  /// Writes a value that is JSON already.
  public mutating func raw(_ json: [UInt8]) {
    json.withUnsafeBytes { raw($0) }
  }

  private mutating func open(_ byte: UInt8) {
    comma()
    writer.append(byte)
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    writer.append(byte)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { writer.append(UInt8(ascii: ",")) }
  }

  private mutating func appendString(_ text: String) {
    writer.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): writer.append("\\\"")
      case UInt8(ascii: "\\"): writer.append("\\\\")
      case 0x08: writer.append("\\b")
      case 0x0C: writer.append("\\f")
      case 0x0A: writer.append("\\n")
      case 0x0D: writer.append("\\r")
      case 0x09: writer.append("\\t")
      case 0..<0x20:
        writer.append("\\u00")
        writer.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
        writer.append(utf8: String(byte & 0xF, radix: 16))
      default: writer.append(byte)
      }
    }
    writer.append(UInt8(ascii: "\""))
  }
}
