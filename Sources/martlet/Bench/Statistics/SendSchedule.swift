/// When messages are due at a fixed rate, spread evenly over connections: the k-th at `start + k / rate`, on connection
/// `k % connections`.
///
/// A message that cannot leave in time, because its connection waits for replies, is late and not left out: its
/// response time counts from when it was due (no "coordinated omission").
struct SendSchedule: Sendable {
  private let start: UInt64
  private let nanosecondsPerMessage: Double
  private let connections: Int
  /// How many messages have become due.
  private(set) var dueCount: UInt64 = 0

  /// `rate` in messages a second, above 0; `start` in nanoseconds.
  init(rate: Double, connections: Int, start: UInt64) {
    self.start = start
    self.connections = max(1, connections)
    nanosecondsPerMessage = 1e9 / rate
  }

  /// When the next message becomes due.
  var nextDue: UInt64 { time(of: dueCount) }

  /// The connection of a message that is due by `now`, or nil; to be called until nil.
  mutating func popDue(now: UInt64) -> Int? {
    guard nextDue <= now else { return nil }
    defer { dueCount += 1 }
    return Int(dueCount % UInt64(connections))
  }

  /// When the `number`-th message of a connection (from 0) is due.
  func due(connection: Int, number: UInt64) -> UInt64 {
    time(of: number &* UInt64(connections) &+ UInt64(connection))
  }

  private func time(of message: UInt64) -> UInt64 {
    start &+ UInt64(Double(message) * nanosecondsPerMessage)
  }
}
