/// Immutable, reference-counted bytes: made once, queued on any number of connections of any loop.
///
/// The bytes lie behind the object's header, so that one allocation makes both.
public struct SharedBytes: @unchecked Sendable {
  // Never written to after `make` has returned, which is what makes it sendable.
  @usableFromInline let storage: ManagedBuffer<Int, UInt8>

  /// Makes bytes in place.
  ///
  /// - Parameters:
  ///   - capacity: how many bytes `body` may write.
  ///   - body: writes from the start of the buffer and returns how many bytes it wrote.
  public static func make<Failure: Error>(
    capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) -> SharedBytes {
    let storage = ManagedBuffer<Int, UInt8>.create(minimumCapacity: capacity) { _ in 0 }
    let count = try storage.withUnsafeMutablePointerToElements { (start) throws(Failure) -> Int in
      try body(UnsafeMutableRawBufferPointer(start: start, count: capacity))
    }
    precondition(count >= 0 && count <= capacity, "more bytes than there was room for")
    storage.header = count
    return SharedBytes(storage: storage)
  }

  /// Copies bytes.
  public static func make(copying bytes: UnsafeRawBufferPointer) -> SharedBytes {
    make(capacity: bytes.count) { buffer in
      buffer.copyMemory(from: bytes)
      return bytes.count
    }
  }

  /// Copies bytes.
  public static func make(copying bytes: [UInt8]) -> SharedBytes {
    bytes.withUnsafeBytes { make(copying: $0) }
  }

  /// How many bytes there are.
  @inlinable
  public var count: Int { storage.header }

  /// Whether both are the same memory.
  package func isSame(as other: SharedBytes) -> Bool { storage === other.storage }

  /// Lends the bytes until `body` returns.
  @inlinable
  public func withUnsafeBytes<R, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
  ) throws(Failure) -> R {
    try storage.withUnsafeMutablePointers { (count, start) throws(Failure) -> R in
      try body(UnsafeRawBufferPointer(start: start, count: count.pointee))
    }
  }

  /// The bytes as an array, copied.
  public var array: [UInt8] { withUnsafeBytes { Array($0) } }
}
