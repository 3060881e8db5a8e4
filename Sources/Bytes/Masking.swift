/// The masking of RFC 6455 §5.3: "octet i of the transformed data is the XOR of octet i of the original data with
/// octet at index i modulo 4 of the masking key".
public enum Masking {
  /// Masks or unmasks in place.
  ///
  /// - Parameters:
  ///   - key: the four octets of the key as they lie in memory, loaded as one word.
  ///   - bytes: what to change.
  ///   - offset: how many octets of the payload came before `bytes`.
  /// - Returns: whether all octets that result are ASCII, which spares validating most texts.
  @inlinable @inline(__always)
  @discardableResult
  public static func apply(key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let count = bytes.count
    let turned = rotated(key, by: offset)
    let word = UInt64(turned) | UInt64(turned) << 32
    var index = 0
    var seen: UInt64 = 0
    if count >= 32 {
      let vector = SIMD4<UInt64>(repeating: word)
      var seenBlock = SIMD4<UInt64>()
      while index &+ 32 <= count {
        let block = start.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self) ^ vector
        (start + index).storeBytes(of: block, as: SIMD4<UInt64>.self)
        seenBlock |= block
        index &+= 32
      }
      seen = (seenBlock[0] | seenBlock[1]) | (seenBlock[2] | seenBlock[3])
    }
    while index &+ 8 <= count {
      let block = start.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
      (start + index).storeBytes(of: block, as: UInt64.self)
      seen |= block
      index &+= 8
    }
    var rest = word
    while index < count {
      let byte = start.load(fromByteOffset: index, as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
      start.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      seen |= UInt64(byte)
      rest >>= 8
      index &+= 1
    }
    return seen & 0x8080_8080_8080_8080 == 0
  }

  /// The key as it applies from `offset` on; on this little-endian layout the first octet is the lowest byte.
  @inlinable
  static func rotated(_ key: UInt32, by offset: Int) -> UInt32 {
    let bits = UInt32(truncatingIfNeeded: (offset & 3) &* 8)
    guard bits > 0 else { return key }
    return key &>> bits | key &<< (32 &- bits)
  }
}
