/// Immutable, reference-counted bytes: made once, queued on many connections.
public final class SharedBytes: Sendable {
  private let storage: [UInt8]
  private init(_ storage: [UInt8]) { self.storage = storage }
  public init(copying bytes: UnsafeRawBufferPointer) { storage = Array(bytes) }
  public var count: Int { storage.count }
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try storage.withUnsafeBytes(body)
  }
}
