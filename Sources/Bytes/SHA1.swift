/// SHA-1 (FIPS 180-4 §6.1), for the opening handshake of RFC 6455 only: it protects nothing.
public enum SHA1 {
  /// How many bytes a digest has.
  public static let digestByteCount = 20

  /// The 20 bytes of the digest.
  public static func hash(_ message: [UInt8]) -> [UInt8] {
    message.withUnsafeBytes { message in
      [UInt8](unsafeUninitializedCapacity: digestByteCount) { digest, count in
        hash(message, into: UnsafeMutableRawBufferPointer(digest))
        count = digestByteCount
      }
    }
  }

  /// Writes the digest into memory of ``digestByteCount`` bytes.
  public static func hash(_ message: UnsafeRawBufferPointer, into digest: UnsafeMutableRawBufferPointer) {
    var state: (UInt32, UInt32, UInt32, UInt32, UInt32) = (
      0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0
    )
    let wholeBlocks = message.count / 64 * 64
    let tail = UnsafeRawBufferPointer(rebasing: message[wholeBlocks...])
    // The tail with its padding takes one block, or two.
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { last in
      let lastCount = tail.count < 56 ? 64 : 128
      last.initializeMemory(as: UInt8.self, repeating: 0)
      last.copyMemory(from: tail)
      last[tail.count] = 0x80
      last.storeBytes(of: (UInt64(message.count) * 8).bigEndian, toByteOffset: lastCount - 8, as: UInt64.self)
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { schedule in
        for block in stride(from: 0, to: wholeBlocks, by: 64) {
          compress(UnsafeRawBufferPointer(rebasing: message[block..<(block + 64)]), schedule, &state)
        }
        for block in stride(from: 0, to: lastCount, by: 64) {
          compress(UnsafeRawBufferPointer(rebasing: last[block..<(block + 64)]), schedule, &state)
        }
      }
    }
    let words = (
      state.0.bigEndian, state.1.bigEndian, state.2.bigEndian, state.3.bigEndian, state.4.bigEndian
    )
    withUnsafeBytes(of: words) { digest.copyMemory(from: $0) }
  }

  private static func compress(
    _ block: UnsafeRawBufferPointer, _ schedule: UnsafeMutableBufferPointer<UInt32>,
    _ state: inout (UInt32, UInt32, UInt32, UInt32, UInt32)
  ) {
    for index in 0..<16 {
      schedule[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
    }
    for index in 16..<80 {
      schedule[index] = rotated(
        schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14] ^ schedule[index - 16], 1)
    }
    var (a, b, c, d, e) = state
    func step(_ index: Int, _ mixed: UInt32, _ constant: UInt32) {
      let next = rotated(a, 5) &+ mixed &+ e &+ constant &+ schedule[index]
      (a, b, c, d, e) = (next, a, rotated(b, 30), c, d)
    }
    for index in 0..<20 { step(index, b & c | ~b & d, 0x5A82_7999) }
    for index in 20..<40 { step(index, b ^ c ^ d, 0x6ED9_EBA1) }
    for index in 40..<60 { step(index, b & c | b & d | c & d, 0x8F1B_BCDC) }
    for index in 60..<80 { step(index, b ^ c ^ d, 0xCA62_C1D6) }
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
  }

  private static func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
}
