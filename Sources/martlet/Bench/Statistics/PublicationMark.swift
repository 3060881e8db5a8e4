import Glibc

/// What a publication of a benchmark carries: `mb` with four digits of the run and a colon, then its number and the time
/// it was published, each as 16 hexadecimal digits, then `x` up to its size. ASCII, so that it goes through text messages
/// and JSON strings as it is.
struct PublicationMark: Sendable, Equatable {
  static let prefixCount = 7
  /// The smallest publication.
  static let minimumCount = prefixCount + 32
  static let filler = UInt8(ascii: "x")

  var number: UInt64
  /// Nanoseconds of ``MonotonicClock``.
  var time: UInt64

  /// The beginning of all publications of a run.
  static func prefix(run: UInt16) -> [UInt8] {
    let digits = String(run, radix: 16)
    return Array(("mb" + String(repeating: "0", count: 4 - digits.count) + digits + ":").utf8)
  }

  /// Writes the publication over `bytes`, which are at least ``minimumCount``; what is behind stays.
  func write(prefix: [UInt8], into bytes: inout [UInt8]) {
    for (index, byte) in prefix.enumerated() { bytes[index] = byte }
    for digit in 0..<16 {
      bytes[prefix.count + digit] = Self.digit(number, digit)
      bytes[prefix.count + 16 + digit] = Self.digit(time, digit)
    }
  }

  /// Reads what follows the prefix: 32 bytes. What are no digits give some number that nobody has sent.
  @inline(__always)
  init(behindPrefix bytes: UnsafeRawPointer) {
    number = Self.hexadecimal(bytes) << 32 | Self.hexadecimal(bytes + 8)
    time = Self.hexadecimal(bytes + 16) << 32 | Self.hexadecimal(bytes + 24)
  }

  init(number: UInt64, time: UInt64) {
    self.number = number
    self.time = time
  }

  private static func digit(_ value: UInt64, _ index: Int) -> UInt8 {
    let nibble = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
    return nibble < 10 ? 0x30 + nibble : 0x57 + nibble
  }

  /// Eight digits at once.
  @inline(__always)
  private static func hexadecimal(_ bytes: UnsafeRawPointer) -> UInt64 {
    let digits = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    // '0'...'9' are 0x30...0x39, 'a'...'f' 0x61...0x66: bit 6 tells them apart.
    var value = (digits & 0x0F0F_0F0F_0F0F_0F0F) &+ ((digits >> 6) & 0x0101_0101_0101_0101) &* 9
    value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
    value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
    return (value | value >> 16) & 0xFFFF_FFFF
  }
}
