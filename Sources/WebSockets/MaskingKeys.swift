import Glibc

/// Masking keys for a client's frames, from the kernel's random source by the kilobyte.
///
/// RFC 6455 §5.3: "The masking key needs to be unpredictable … derived from a strong source of entropy". One
/// `getentropy` a frame would cost a system call each. The clients of a loop share one.
final class MaskingKeys {
  private static let capacity = 256
  private var keys = [UInt32](repeating: 0, count: capacity)
  private var used = capacity

  func next() -> UInt32 {
    if used == Self.capacity { refill() }
    defer { used += 1 }
    return keys[used]
  }

  private func refill() {
    keys.withUnsafeMutableBytes { SecureRandom.fill($0) }
    used = 0
  }
}

/// The kernel's random source.
enum SecureRandom {
  /// Fills the buffer, in steps of the 256 bytes that `getentropy` gives at most.
  static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    var rest = buffer
    while !rest.isEmpty {
      let count = min(256, rest.count)
      let status = getentropy(rest.baseAddress, count)
      precondition(status == 0, "The kernel gives no random bytes.")
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
    }
  }
}
