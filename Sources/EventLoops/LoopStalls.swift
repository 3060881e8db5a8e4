import Synchronization

/// Turns of a loop in which its other connections had to wait for long. Any thread.
package final class LoopStalls: Sendable {
  /// A turn of so many milliseconds or more counts.
  package static let thresholdMilliseconds: UInt64 = 10

  private let turns = Atomic<UInt64>(0)
  private let longest = Atomic<UInt64>(0)

  /// How many there were.
  package var count: UInt64 { turns.load(ordering: .relaxed) }

  /// The longest one, in milliseconds; 0 if there was none.
  package var longestMilliseconds: UInt64 { longest.load(ordering: .relaxed) }

  /// A turn has ended. On the loop.
  func ended(after milliseconds: UInt64) {
    guard milliseconds >= Self.thresholdMilliseconds else { return }
    turns.wrappingAdd(1, ordering: .relaxed)
    if milliseconds > longestMilliseconds { longest.store(milliseconds, ordering: .relaxed) }
  }
}
