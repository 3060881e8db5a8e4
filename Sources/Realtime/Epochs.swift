/// Gives channels their epochs, in fixed memory.
///
/// A channel that was freed with publications behind it must come back with another epoch, or a client would take the new
/// count of offsets for the old one. A channel that was freed empty may come back with the same one, and should: a client
/// that was away from a quiet channel has then missed nothing and is told so. So an epoch is this run's random base and
/// the number of times that a channel with publications was freed whose name falls into the same one of 65,536 buckets.
struct Epochs {
  private static let bucketCount = 65_536

  private let base: String
  private var forgotten: [UInt32] = []

  init(randomBits: UInt64) { base = String(randomBits, radix: 36) }

  func epoch(of name: String) -> String {
    let count = forgotten.isEmpty ? 0 : forgotten[Self.bucket(of: name)]
    return count == 0 ? base : "\(base).\(count)"
  }

  /// The channel is freed, and its publications and offset with it.
  mutating func forget(_ name: String) {
    if forgotten.isEmpty { forgotten = Array(repeating: 0, count: Self.bucketCount) }
    forgotten[Self.bucket(of: name)] &+= 1
  }

  /// Mixed once more: FNV leaves the upper bits of short names nearly alike, and the lower ones pick the owner.
  private static func bucket(of name: String) -> Int {
    Int(truncatingIfNeeded: (StableHash.hash(name) &* 0x9e37_79b9_7f4a_7c15) >> 48)
  }
}
