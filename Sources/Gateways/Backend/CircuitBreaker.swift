/// Keeps requests from a backend that is out of order, so that clients are answered at once and it can recover. The
/// clock is the caller's.
struct CircuitBreaker {
  /// What the breaker does with requests.
  enum State: Equatable {
    /// They pass; so many have failed in a row.
    case closed(failures: Int)
    /// They are refused until then.
    case open(until: UInt64)
    /// One passes, to see.
    case probing
  }

  /// Failures in a row that open it; 0 never opens it.
  let threshold: Int
  /// How long it stays open, in milliseconds.
  let pauseMilliseconds: UInt64
  private(set) var state = State.closed(failures: 0)

  init(threshold: Int, pauseMilliseconds: UInt64) {
    self.threshold = threshold
    self.pauseMilliseconds = pauseMilliseconds
  }

  /// Whether a request may pass; its outcome must be told.
  mutating func admits(now: UInt64) -> Bool {
    switch state {
    case .closed: return true
    case .probing: return false
    case .open(let until):
      guard until <= now else { return false }
      state = .probing
      return true
    }
  }

  /// A request was answered.
  mutating func succeeded() { state = .closed(failures: 0) }

  /// A request was not. True if this is what opens the breaker.
  mutating func failed(now: UInt64) -> Bool {
    switch state {
    case .open: return false
    case .closed(let failures) where threshold == 0 || failures + 1 < threshold:
      state = .closed(failures: threshold == 0 ? 0 : failures + 1)
      return false
    case .closed, .probing:
      let (until, overflow) = now.addingReportingOverflow(pauseMilliseconds)
      state = .open(until: overflow ? .max : until)
      return true
    }
  }
}
