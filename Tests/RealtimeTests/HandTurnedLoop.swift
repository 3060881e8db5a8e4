import CLinux

@testable import EventLoops

/// A driver without sockets whose clock the test sets.
final class HandDriver: Driver {
  var milliseconds: UInt64 = 1_000

  override init() { super.init() }

  override func wait(until deadline: UInt64?) { loop.updateTime() }
  override func wake() {}
  override func currentMilliseconds() -> UInt64 { milliseconds }
  override func stopAll() {}
}

extension EventLoop {
  /// One turn on this thread, as if it were the loop's own.
  func turnByHand() {
    clinux_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
    turn(mayWait: false)
    clinux_set_current_loop(nil)
  }

  var hasWork: Bool { !local.isEmpty }
}
