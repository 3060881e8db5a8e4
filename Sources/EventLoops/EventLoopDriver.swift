/// How event loops meet the kernel.
public enum EventLoopDriver: Sendable, Hashable, CaseIterable {
  /// The one that was measured to be better for most: at present epoll (docs/performance.md).
  case automatic
  /// Readiness, and a system call for each read and each write. Any Linux.
  case epoll
  /// Completions: reads go on by themselves, and all small writes of a turn leave in one system call. Linux 6.1 or later;
  /// containers and hardened systems often forbid it.
  case ioUring

  /// What `automatic` stands for.
  var resolved: EventLoopDriver { self == .automatic ? .epoll : self }

  /// Drivers for that many loops: all of one kind, so that a group behaves alike on each.
  func make(_ count: Int) -> (drivers: [Driver], refusal: Int32?) {
    var refusal: Int32?
    if resolved == .ioUring {
      do throws(IOError) {
        var drivers: [Driver] = []
        for _ in 0..<count { drivers.append(try IOUringDriver.make()) }
        return (drivers, nil)
      } catch {
        refusal = error.errno
      }
    }
    return ((0..<count).map { _ in EpollDriver() }, refusal)
  }
}
