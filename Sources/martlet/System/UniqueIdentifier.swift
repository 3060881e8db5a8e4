/// Random identifiers that nobody can guess, spelled as UUIDs of version 4 (RFC 9562 §5.4).
enum UniqueIdentifier {
  @Sendable static func make() -> String {
    var random = SystemRandomNumberGenerator()
    let high = random.next() & ~0xF000 | 0x4000
    let low = random.next() & ~(0b11 << 62) | 0b10 << 62
    return String(unsafeUninitializedCapacity: 36) { bytes in
      var count = 0
      for index in 0..<32 {
        if [8, 12, 16, 20].contains(index) {
          bytes[count] = UInt8(ascii: "-")
          count += 1
        }
        let digit = UInt8(truncatingIfNeeded: (index < 16 ? high : low) >> UInt64(60 - index % 16 * 4)) & 15
        bytes[count] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        count += 1
      }
      return count
    }
  }
}
