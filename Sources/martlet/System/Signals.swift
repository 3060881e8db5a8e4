import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP, received by the main thread, which does nothing else.
///
/// A signal that is blocked in every thread and waited for in one may be handled by ordinary code: no
/// async-signal-safety to mind.
enum Signals {
  private static let handler = Mutex<(@Sendable (Int32) -> Void)?>(nil)

  private static let hangup = Mutex<(@Sendable () -> Void)?>(nil)

  /// Blocks the signals in this thread and those that it starts. To be called before there are others.
  static func block() {
    var set = handled
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` for each signal from now on; before, a signal ends the program as usual.
  static func handle(_ body: @escaping @Sendable (Int32) -> Void) {
    handler.withLock { $0 = body }
  }

  /// Calls `body` for each SIGHUP from now on; before, it ends the program as usual.
  static func handleHangup(_ body: @escaping @Sendable () -> Void) {
    hangup.withLock { $0 = body }
  }

  /// Waits for signals and never returns.
  static func wait() -> Never {
    var set = handled
    while true {
      var signal: Int32 = 0
      guard sigwait(&set, &signal) == 0 else { continue }
      if signal == SIGHUP {
        if let body = hangup.withLock({ $0 }) { body() } else { die(of: signal) }
        continue
      }
      if let body = handler.withLock({ $0 }) { body(signal) } else { die(of: signal) }
    }
  }

  /// Ends the program as if the signal had not been handled, so that the parent sees the right status.
  static func die(of number: Int32) -> Never {
    signal(number, SIG_DFL)
    var set = handled
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
    exit(128 + number)
  }

  private static var handled: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGHUP)
    return set
  }
}
