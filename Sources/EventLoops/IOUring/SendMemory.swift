import Bytes
import CLinux

/// What the sends that wait to be submitted point to: copies of small writes one behind the other, and references to
/// shared bytes. All of it is free again when the sends have been submitted, for they never wait.
struct SendMemory: ~Copyable {
  /// Room for copies, in bytes.
  static let byteCount = 256 * 1024

  private let copies = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.byteCount, alignment: 64)
  private var used = 0
  /// The last copy of several pieces.
  private var last = UnsafeRawBufferPointer(start: nil, count: 0)
  private var shared: [SharedBytes] = []

  deinit { copies.deallocate() }

  /// A copy; nil when there is no room for it before the next submission.
  mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer? {
    guard let place = take(bytes.count), let base = bytes.baseAddress else { return nil }
    place.copyMemory(from: base, byteCount: bytes.count)
    return UnsafeRawPointer(place)
  }

  /// A copy of several pieces in one: the last one if it has the same bytes, as when several messages go out to many.
  mutating func copy(_ pieces: UnsafeMutableBufferPointer<iovec>, count: Int) -> UnsafeRawPointer? {
    if count == last.count, isLast(pieces) { return last.baseAddress }
    guard let place = take(count) else { return nil }
    last = UnsafeRawBufferPointer(start: place, count: count)
    var offset = 0
    for piece in pieces {
      guard let base = piece.iov_base else { continue }
      (place + offset).copyMemory(from: base, byteCount: piece.iov_len)
      offset += piece.iov_len
    }
    return UnsafeRawPointer(place)
  }

  private func isLast(_ pieces: UnsafeMutableBufferPointer<iovec>) -> Bool {
    guard var known = last.baseAddress else { return false }
    for piece in pieces where piece.iov_len > 0 {
      guard clinux_is_equal(known, piece.iov_base, piece.iov_len) != 0 else { return false }
      known += piece.iov_len
    }
    return true
  }

  private mutating func take(_ count: Int) -> UnsafeMutableRawPointer? {
    guard count <= copies.count - used else { return nil }
    defer { used += count }
    return copies.baseAddress.map { $0 + used }
  }

  /// Keeps bytes where they are. A fan-out writes the same ones again and again: one reference is enough.
  mutating func keep(_ bytes: SharedBytes) {
    if let last = shared.last, last.isSame(as: bytes) { return }
    shared.append(bytes)
  }

  mutating func removeAll() {
    used = 0
    last = UnsafeRawBufferPointer(start: nil, count: 0)
    if !shared.isEmpty { shared.removeAll(keepingCapacity: shared.capacity <= 4_096) }
  }
}
