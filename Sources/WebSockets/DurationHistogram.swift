import Synchronization

/// How often something took how long, since it was made. Any thread.
package final class DurationHistogram: Sendable {
  /// The upper ends of the buckets, in milliseconds; a further one takes what is longer.
  package static let bounds: [UInt64] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

  private let buckets: [Bucket]
  private let sum = Atomic<UInt64>(0)

  private final class Bucket: Sendable {
    let count = Atomic<UInt64>(0)
  }

  package init() { buckets = (0...Self.bounds.count).map { _ in Bucket() } }

  package func record(milliseconds: UInt64) {
    let index = Self.bounds.firstIndex { milliseconds <= $0 } ?? Self.bounds.count
    buckets[index].count.count()
    sum.wrappingAdd(milliseconds, ordering: .relaxed)
  }

  /// All of it in milliseconds.
  package var sumMilliseconds: UInt64 { sum.load(ordering: .relaxed) }

  /// How often for each bucket, the last for what is longer than all bounds.
  package var counts: [UInt64] { buckets.map { $0.count.load(ordering: .relaxed) } }
}
