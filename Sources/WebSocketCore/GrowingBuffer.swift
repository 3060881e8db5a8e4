/// Bytes that are put together: grows by doubling with what arrives, never by what was merely announced.
struct GrowingBuffer: ~Copyable {
  private var storage: UnsafeMutableRawBufferPointer?
  private var count = 0

  deinit { storage?.deallocate() }

  /// What was put together; valid until the next change.
  var bytes: UnsafeRawBufferPointer {
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: storage[..<count])
  }

  /// How many bytes it owns.
  var capacity: Int { storage?.count ?? 0 }

  /// Adds bytes; `announced`, the total to be expected, is not exceeded by the growth beyond what has arrived.
  mutating func append(_ piece: UnsafeRawBufferPointer, announced: UInt64) {
    guard !piece.isEmpty else { return }
    reserve(count + piece.count, announced)
    guard let storage else { return }
    UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(from: piece)
    count += piece.count
  }

  /// Replaces what is here.
  mutating func copy(_ bytes: [UInt8]) {
    count = 0
    bytes.withUnsafeBytes { append($0, announced: UInt64($0.count)) }
  }

  private mutating func reserve(_ needed: Int, _ announced: UInt64) {
    guard needed > capacity else { return }
    let doubled = min(UInt64(clamping: capacity) * 2, announced)
    let grown = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(needed, Int(clamping: doubled)), alignment: 16)
    if let storage {
      grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
      storage.deallocate()
    }
    storage = grown
  }
}
