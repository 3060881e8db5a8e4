/// Keeps lines that strangers bring about from filling the log: of each subject so many in so much time, and the next one
/// says how many were left out.
struct LogBounds: Sendable {
  /// Lines of a subject in a window.
  static let maximumLines = 10
  /// In milliseconds.
  static let windowMilliseconds: UInt64 = 10_000

  private struct Window: Sendable {
    var began: UInt64 = 0
    var lines = 0
    var leftOut: UInt64 = 0
  }

  private var windows = [Window](repeating: Window(), count: LogSubject.allCases.count)

  /// Counts a line. Nil if it is one too many; else how many were left out since the last one that was not.
  mutating func admit(_ subject: LogSubject, now: UInt64) -> UInt64? {
    let index = subject.rawValue
    // A clock that was set back begins a window, too.
    if now < windows[index].began || now - windows[index].began >= Self.windowMilliseconds {
      windows[index].began = now
      windows[index].lines = 0
    }
    guard windows[index].lines < Self.maximumLines else {
      windows[index].leftOut += 1
      return nil
    }
    windows[index].lines += 1
    defer { windows[index].leftOut = 0 }
    return windows[index].leftOut
  }
}
