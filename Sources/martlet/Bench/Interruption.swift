import Synchronization

/// Whether Ctrl-C or SIGTERM has come: then a benchmark tells what it has measured so far.
final class Interruption: Sendable {
  private let flag = Atomic<Bool>(false)

  var hasCome: Bool { flag.load(ordering: .relaxed) }

  func come() { flag.store(true, ordering: .relaxed) }

  /// Waits, and looks up ten times a second: `look` is given the time that has passed in seconds, and says whether to go
  /// on. Returns false if it said no, or the interruption came.
  @discardableResult
  func wait(seconds: Double, _ look: (Double) async -> Bool = { _ in true }) async -> Bool {
    let start = MonotonicClock.nanoseconds
    let end = start + UInt64(seconds * 1e9)
    while !hasCome {
      let now = MonotonicClock.nanoseconds
      if now >= end { return true }
      try? await Task.sleep(for: .nanoseconds(min(end - now, 100_000_000)))
      guard await look(Double(MonotonicClock.nanoseconds - start) / 1e9) else { return false }
    }
    return false
  }
}
