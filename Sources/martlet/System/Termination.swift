import Glibc
import Synchronization

/// Waits for SIGTERM or Ctrl-C. A second one ends the program at once.
final class Termination: Sendable {
  private let stream: AsyncStream<Int32>

  init() {
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    let count = Counter()
    self.stream = stream
    Signals.handle { signal in
      if count.increment() > 1 { Signals.die(of: signal) }
      continuation.yield(signal)
    }
  }

  /// Returns at the first signal, at once if it has come already.
  func wait() async {
    for await _ in stream { return }
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  func increment() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }
}
