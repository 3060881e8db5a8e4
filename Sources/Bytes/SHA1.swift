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
      withUnsafeTemporaryAllocation(byteCount: scheduleByteCount, alignment: 16) { schedule in
        for block in stride(from: 0, to: wholeBlocks, by: 64) {
          fill(schedule, from: UnsafeRawBufferPointer(rebasing: message[block..<(block + 64)]))
          compress(UnsafeRawBufferPointer(schedule), &state)
        }
        for block in stride(from: 0, to: lastCount, by: 64) {
          if block == 64, message.count == 60 {
            compress(scheduleBehind60, &state)
          } else {
            fill(schedule, from: UnsafeRawBufferPointer(rebasing: last[block..<(block + 64)]))
            compress(UnsafeRawBufferPointer(schedule), &state)
          }
        }
      }
    }
    let words = (
      state.0.bigEndian, state.1.bigEndian, state.2.bigEndian, state.3.bigEndian, state.4.bigEndian
    )
    withUnsafeBytes(of: words) { digest.copyMemory(from: $0) }
  }

  /// What every opening handshake has in its second block: the length of 60 bytes.
  nonisolated(unsafe) private static let scheduleBehind60: UnsafeRawBufferPointer = {
    let schedule = UnsafeMutableRawBufferPointer.allocate(byteCount: scheduleByteCount, alignment: 16)
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { block in
      block.initializeMemory(as: UInt8.self, repeating: 0)
      block.storeBytes(of: (UInt64(60) * 8).bigEndian, toByteOffset: 56, as: UInt64.self)
      fill(schedule, from: UnsafeRawBufferPointer(block))
    }
    return UnsafeRawBufferPointer(schedule)
  }()

  private static let scheduleByteCount = 80 * 4

  private static func compress(
    _ schedule: UnsafeRawBufferPointer, _ state: inout (UInt32, UInt32, UInt32, UInt32, UInt32)
  ) {
    var (a, b, c, d, e) = state
    /// A round changes two of the five words, and the next takes them as if they were turned by one.
    func step(
      _ a: UInt32, _ b: inout UInt32, _ mixed: UInt32, _ e: inout UInt32, _ constant: UInt32, _ index: Int
    ) {
      e = e &+ mixed &+ constant &+ rotated(a, 5) &+ schedule.load(fromByteOffset: index * 4, as: UInt32.self)
      b = rotated(b, 30)
    }
    func steps(_ rounds: Range<Int>, _ constant: UInt32, _ mix: (UInt32, UInt32, UInt32) -> UInt32) {
      for index in stride(from: rounds.lowerBound, to: rounds.upperBound, by: 5) {
        step(a, &b, mix(b, c, d), &e, constant, index)
        step(e, &a, mix(a, b, c), &d, constant, index + 1)
        step(d, &e, mix(e, a, b), &c, constant, index + 2)
        step(c, &d, mix(d, e, a), &b, constant, index + 3)
        step(b, &c, mix(c, d, e), &a, constant, index + 4)
      }
    }
    steps(0..<20, 0x5A82_7999) { b, c, d in d ^ b & (c ^ d) }
    steps(20..<40, 0x6ED9_EBA1) { b, c, d in b ^ c ^ d }
    steps(40..<60, 0x8F1B_BCDC) { b, c, d in (b & c) &+ (d & (b ^ c)) }
    steps(60..<80, 0xCA62_C1D6) { b, c, d in b ^ c ^ d }
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
  }

  /// The 80 words of the message schedule.
  private static func fill(_ schedule: UnsafeMutableRawBufferPointer, from block: UnsafeRawBufferPointer) {
    func word(_ index: Int) -> UInt32 { schedule.load(fromByteOffset: index * 4, as: UInt32.self) }
    func four(_ index: Int) -> SIMD4<UInt32> {
      schedule.loadUnaligned(fromByteOffset: index * 4, as: SIMD4<UInt32>.self)
    }
    for index in 0..<16 {
      let word = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
      schedule.storeBytes(of: word, toByteOffset: index * 4, as: UInt32.self)
    }
    for index in 16..<32 {
      let next = rotated(word(index - 3) ^ word(index - 8) ^ word(index - 14) ^ word(index - 16), 1)
      schedule.storeBytes(of: next, toByteOffset: index * 4, as: UInt32.self)
    }
    // The same rule put into itself: it reaches back six words at least, so that four are made at a time.
    for index in stride(from: 32, to: 80, by: 4) {
      let mixed = four(index - 6) ^ four(index - 16) ^ four(index - 28) ^ four(index - 32)
      schedule.storeBytes(of: mixed &<< 2 | mixed &>> 30, toByteOffset: index * 4, as: SIMD4<UInt32>.self)
    }
  }

  private static func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
}
