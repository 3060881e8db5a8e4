import EventLoops
import Transport

/// How the loops of a server meet the kernel.
enum DriverFlag {
  private static let help = "how loops meet the kernel; epoll where io_uring is missing or forbidden"

  /// `serve` has a setting beside it, which reads the environment.
  static let forServe = Flag("driver", ValueKind<EventLoopDriver>.driver, default: "auto", help: help)
  static let forEcho = Flag(
    "driver", ValueKind<EventLoopDriver>.driver, default: "auto", environment: "MARTLET_DRIVER", help: help)

  /// Loops with that driver, or with epoll and a line that says why.
  static func group(
    loops: Int, _ driver: EventLoopDriver, note: (String) -> Void = Terminal.note
  ) -> EventLoopGroup {
    let group = EventLoopGroup(loops: loops, driver: driver)
    if let refusal = group.driverRefusal {
      note("io_uring cannot be used here (\(TransportError.text(of: refusal))); going on with epoll")
    }
    return group
  }
}

extension ValueKind where Value == EventLoopDriver {
  private static var names: [(name: String, value: EventLoopDriver)] {
    [("auto", .automatic), ("epoll", .epoll), ("io_uring", .ioUring)]
  }

  static var driver: ValueKind {
    ValueKind(
      placeholder: "auto|epoll|io_uring",
      read: { (raw) throws(BadValue) in
        let text = try ValueKind<String>.text("").read(raw)
        guard let found = names.first(where: { $0.name == text }) else {
          throw BadValue("is neither auto nor epoll nor io_uring")
        }
        return found.value
      },
      show: { value in
        JSON5Value.string(names.first { $0.value == value }?.name ?? "auto").description
      })
  }
}
