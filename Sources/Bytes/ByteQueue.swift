/// A growable first-in-first-out queue of bytes, which owns no memory while it is empty.
public struct ByteQueue: ~Copyable {
  private var storage: UnsafeMutableRawBufferPointer?
  private var head = 0
  private var tail = 0

  /// Makes an empty queue.
  public init() {}

  deinit { storage?.deallocate() }

  /// How many bytes wait.
  public var count: Int { tail - head }

  /// Whether no bytes wait.
  public var isEmpty: Bool { head == tail }

  /// Adds bytes at the end.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    let room = reserve(bytes.count)
    UnsafeMutableRawBufferPointer(rebasing: room[tail..<(tail + bytes.count)]).copyMemory(from: bytes)
    tail += bytes.count
  }

  /// Lends the waiting bytes, first in first.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    guard let storage else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try body(UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
  }

  /// Lends the waiting bytes for changes in place.
  public mutating func withUnsafeMutableBytes<R>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> R
  ) rethrows -> R {
    guard let storage else { return try body(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
    return try body(UnsafeMutableRawBufferPointer(rebasing: storage[head..<tail]))
  }

  /// Drops bytes at the front; the last one frees the memory.
  public mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= self.count, "more bytes than there are")
    head += count
    if head == tail { removeAll() }
  }

  /// Drops everything and frees the memory.
  public mutating func removeAll() {
    storage?.deallocate()
    storage = nil
    head = 0
    tail = 0
  }

  /// Makes room for `count` bytes behind the tail: by moving what waits to the front if that gives half the room
  /// or more back, else by doubling.
  private mutating func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
    let capacity = storage?.count ?? 0
    if let storage, tail + count <= capacity { return storage }
    let waiting = self.count
    if let storage, waiting + count <= capacity / 2 {
      storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
      head = 0
      tail = waiting
      return storage
    }
    let grown = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(waiting + count, capacity * 2, 256), alignment: 16)
    if let storage {
      grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[head..<tail]))
      storage.deallocate()
    }
    storage = grown
    head = 0
    tail = waiting
    return grown
  }
}
