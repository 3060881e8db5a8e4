/// A growable buffer that encoders write to.
public struct ByteWriter: Sendable {
  /// What was written.
  public private(set) var bytes: [UInt8] = []

  /// Makes an empty writer.
  public init() {}

  /// Makes an empty writer with room for so many bytes.
  public init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// How many bytes were written.
  public var count: Int { bytes.count }

  /// Adds a byte.
  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  /// Adds bytes.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }

  /// Adds bytes.
  public mutating func append(contentsOf bytes: some Sequence<UInt8>) { self.bytes.append(contentsOf: bytes) }

  /// Adds a literal's bytes.
  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Adds a string's UTF-8.
  public mutating func append(utf8 text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

  /// Adds a number in decimal digits.
  @inlinable
  public mutating func appendDecimal(_ number: some BinaryInteger & Sendable) {
    if number < 0 { append(UInt8(ascii: "-")) }
    appendDigits(UInt64(number.magnitude))
  }

  @usableFromInline
  mutating func appendDigits(_ number: UInt64) {
    var rest = number
    let start = bytes.count
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  /// Adds a number in lower-case hexadecimal digits.
  public mutating func appendHexadecimal(_ number: UInt64) {
    append(utf8: String(number, radix: 16))
  }

  /// Empties the writer and keeps its memory.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
