@testable import EventLoops

/// The drivers over the kernel, for tests that all of them must pass.
enum RealDriver: CaseIterable, Sendable {
  case epoll
  case ioUring
  /// Queues so short that they are always full.
  case shortIOUring

  /// Those that this machine has: io_uring may be forbidden.
  static let available = allCases.filter { (try? $0.make()) != nil }

  /// The same for groups.
  static let kinds: [EventLoopDriver] =
    available.contains(.ioUring) ? [.epoll, .ioUring] : [.epoll]

  func make() throws(IOError) -> Driver {
    switch self {
    case .epoll: EpollDriver()
    case .ioUring: try IOUringDriver.make()
    case .shortIOUring: try IOUringDriver.make(requests: 4, completions: 8)
    }
  }
}
