import Glibc

/// Bytes that are put together: grows by doubling with what arrives, never by what was merely announced.
///
/// Growth is by `realloc`, which moves large blocks by changing their mapping: the old and the new one do not both cost
/// memory.
struct GrowingBuffer: ~Copyable {
  private var storage: UnsafeMutableRawPointer?
  /// How many bytes it owns.
  private(set) var capacity = 0
  private(set) var count = 0

  deinit { free(storage) }

  /// What was put together; valid until the next change.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

  /// Adds bytes; `announced`, the total to be expected, is not exceeded by the growth beyond what has arrived.
  mutating func append(_ piece: UnsafeRawBufferPointer, announced: UInt64) {
    guard let source = piece.baseAddress, !piece.isEmpty else { return }
    if count + piece.count > capacity {
      let doubled = min(UInt64(clamping: capacity) * 2, announced)
      grow(to: max(count + piece.count, Int(clamping: doubled)))
    }
    guard let storage else { return }
    (storage + count).copyMemory(from: source, byteCount: piece.count)
    count += piece.count
  }

  /// Replaces what is here.
  mutating func copy(_ bytes: [UInt8]) {
    count = 0
    bytes.withUnsafeBytes { append($0, announced: UInt64($0.count)) }
  }

  /// Room behind the bytes: at least `wanted` of them, or as many as are left to `limit` in all.
  mutating func room(_ wanted: Int, limit: Int) -> UnsafeMutableRawBufferPointer {
    if capacity - count < wanted, capacity < limit {
      grow(to: max(min(max(capacity * 2, count + wanted), limit), capacity))
    }
    let end = min(capacity, limit)
    guard let storage, end > count else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    return UnsafeMutableRawBufferPointer(start: storage + count, count: end - count)
  }

  /// Takes `added` bytes of the room in.
  mutating func extend(by added: Int) {
    precondition(added >= 0 && added <= capacity - count)
    count += added
  }

  /// Forgets the last `removed` bytes.
  mutating func dropLast(_ removed: Int) { count = max(0, count - removed) }

  /// Forgets the bytes, and gives up memory beyond `kept`.
  mutating func empty(keeping kept: Int) {
    count = 0
    guard capacity > kept else { return }
    free(storage)
    storage = nil
    capacity = 0
  }

  private mutating func grow(to size: Int) {
    guard let grown = realloc(storage, size) else { fatalError("Out of memory: \(size) bytes.") }
    storage = grown
    capacity = size
  }
}
