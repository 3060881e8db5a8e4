/// Validates UTF-8 that comes in pieces, and fails at the first byte that cannot be part of it (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
public struct UTF8Validator: Sendable {
  /// Continuation bytes that are still to come of the sequence under way.
  @usableFromInline var missing: UInt8 = 0
  /// The range of the next continuation byte; narrower than 0x80…0xBF only for the first one.
  @usableFromInline var lowest: UInt8 = 0x80
  @usableFromInline var highest: UInt8 = 0xBF

  /// Makes a validator at the start of a text.
  @inlinable
  public init() {}

  /// Whether what was appended ends with a whole character.
  @inlinable
  public var isComplete: Bool { missing == 0 }

  /// Validates the next piece; false if the text cannot become valid any more.
  @inlinable
  public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let count = bytes.count
    var index = 0
    while index < count {
      if missing == 0 {
        index = Self.skipASCII(start, index, count)
        guard index < count else { return true }
      }
      guard step(start.load(fromByteOffset: index, as: UInt8.self)) else { return false }
      index &+= 1
    }
    return true
  }

  /// Whether the bytes are a whole valid text.
  @inlinable
  public static func validate(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let first = skipASCII(start, 0, bytes.count)
    guard first < bytes.count else { return true }
    var validator = UTF8Validator()
    let rest = UnsafeRawBufferPointer(start: start + first, count: bytes.count &- first)
    return validator.append(rest) && validator.isComplete
  }

  /// Whether all bytes are ASCII.
  @inlinable
  public static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.baseAddress.map { skipASCII($0, 0, bytes.count) == bytes.count } ?? true
  }

  /// The index of the first byte that is not ASCII, eight bytes at a time.
  @inlinable
  static func skipASCII(_ start: UnsafeRawPointer, _ from: Int, _ count: Int) -> Int {
    var index = from
    while index &+ 32 <= count {
      let block = start.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self) & 0x8080_8080_8080_8080
      if (block[0] | block[1]) | (block[2] | block[3]) != 0 { break }
      index &+= 32
    }
    while index &+ 8 <= count {
      let word = start.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080
      if word != 0 { return index &+ word.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < count, start.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index &+= 1 }
    return index
  }

  /// One byte, by the table of RFC 3629 §4.
  @inlinable
  mutating func step(_ byte: UInt8) -> Bool {
    if missing > 0 {
      guard byte >= lowest, byte <= highest else { return false }
      missing &-= 1
      lowest = 0x80
      highest = 0xBF
      return true
    }
    switch byte {
    case 0x00...0x7F: return true
    case 0xC2...0xDF: missing = 1
    case 0xE0:
      missing = 2
      lowest = 0xA0
    case 0xE1...0xEC, 0xEE...0xEF: missing = 2
    case 0xED:
      missing = 2
      highest = 0x9F
    case 0xF0:
      missing = 3
      lowest = 0x90
    case 0xF1...0xF3: missing = 3
    case 0xF4:
      missing = 3
      highest = 0x8F
    default: return false
    }
    return true
  }
}
