/// FNV-1a, 64 bit: the same name gives the same number in every process and on every run. Swift's own
/// `Hasher` is seeded anew in each process, so it cannot say which loop, or later which node, owns a channel.
enum StableHash {
  static func hash(_ name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    // FNV's low bits mix badly for short names that differ in the last byte; the loop is taken from a fold of
    // both halves.
    return hash ^ (hash >> 32)
  }

  /// The index, below `count`, that owns `name`.
  static func owner(of name: String, among count: Int) -> Int {
    count == 1 ? 0 : Int(truncatingIfNeeded: hash(name) % UInt64(count))
  }
}
