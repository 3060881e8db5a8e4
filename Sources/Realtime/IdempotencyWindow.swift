/// The keys that were published with lately, and what was answered.
struct IdempotencyWindow {
  private var positions: [String: StreamPosition] = [:]
  private var order = FIFO<(key: String, expiry: UInt64)>()

  var nextExpiry: UInt64? { order.first?.expiry }

  mutating func position(for key: String, now: UInt64) -> StreamPosition? {
    expire(now: now)
    return positions[key]
  }

  /// `key` is not in the window.
  mutating func insert(_ key: String, _ position: StreamPosition, now: UInt64, options: NamespaceOptions) {
    guard options.maximumIdempotencyKeys > 0, options.idempotencyWindowMilliseconds > 0 else { return }
    if order.count >= options.maximumIdempotencyKeys { removeOldest() }
    positions[key] = position
    order.append((key, now.saturatingAdding(options.idempotencyWindowMilliseconds)))
  }

  mutating func expire(now: UInt64) {
    while let expiry = order.first?.expiry, expiry <= now { removeOldest() }
  }

  private mutating func removeOldest() {
    guard let oldest = order.removeFirst() else { return }
    positions[oldest.key] = nil
    // A table that has grown once keeps its room; give it back when the burst is over.
    if positions.isEmpty { positions = [:] }
  }
}
