import EventLoops

/// The drivers that this machine has: io_uring may be forbidden.
let drivers = [EventLoopDriver.epoll, .ioUring].filter { EventLoopGroup.shared($0).driver == $0 }

extension EventLoopGroup {
  private static let ioUring = EventLoopGroup(loops: 2, driver: .ioUring)

  /// Loops with that driver, for all tests.
  static func shared(_ driver: EventLoopDriver) -> EventLoopGroup {
    driver == .ioUring ? ioUring : .singleton
  }
}
