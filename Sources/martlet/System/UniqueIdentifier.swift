import Bytes

/// Random identifiers that nobody can guess, spelled as UUIDs of version 4 (RFC 9562 §5.4).
enum UniqueIdentifier {
  @Sendable static func make() -> String {
    var random = SystemRandomNumberGenerator()
    return UUIDText.make(random.next() & ~0xF000 | 0x4000, random.next() & ~(0b11 << 62) | 0b10 << 62)
  }
}
