/// What was handed to one connection and may not have left it: the kernel takes bytes in order, so a message whose last
/// byte it has not taken can be sent once more elsewhere without arriving twice. A value.
struct UnsentMessages {
  private var entries: [(end: UInt64, message: WebSocketMessage)] = []
  private var first = 0

  var count: Int { entries.count - first }

  /// A message was handed over.
  ///
  /// - Parameters:
  ///   - end: where it ends among all bytes of the connection.
  ///   - flushed: how many of these the kernel has taken.
  mutating func append(_ message: WebSocketMessage, end: UInt64, flushed: UInt64) {
    prune(flushed: flushed)
    entries.append((end, message))
  }

  /// Forgets what the kernel has taken.
  mutating func prune(flushed: UInt64) {
    while first < entries.count, entries[first].end <= flushed {
      entries[first].message = .binary([])
      first += 1
    }
    if first == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 64)
      first = 0
    } else if first >= 16, first * 2 >= entries.count {
      entries.removeFirst(first)
      first = 0
    }
  }

  /// The messages that have not left, in order, at the connection's end.
  mutating func takeAll(flushed: UInt64) -> [WebSocketMessage] {
    prune(flushed: flushed)
    defer {
      entries = []
      first = 0
    }
    return entries[first...].map(\.message)
  }
}
