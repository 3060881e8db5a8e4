import CLinux

/// What systemd, or a program that speaks like it, passes to a service and wants to hear from it
/// (sd_listen_fds(3), sd_notify(3)).
enum ServiceManager {
  /// The first descriptor that is passed.
  private static let firstDescriptor: Int32 = 3
  /// More sockets than this were hardly meant.
  private static let maximumCount: Int32 = 1_024

  /// The sockets that were passed to this process; none where the variables are meant for another one.
  static func passedDescriptors(_ environment: [String: String], process: Int32 = getpid()) -> [Int32] {
    guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == process,
      let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...maximumCount).contains(count)
    else { return [] }
    return Array(firstDescriptor..<(firstDescriptor + count))
  }

  /// Says that the service has started, if anybody waits for it.
  static func notifyReady() { notify("READY=1\n") }

  /// Says that the service ends.
  static func notifyStopping() { notify("STOPPING=1\n") }

  private static func notify(_ state: String) {
    // A manager that does not listen is its own affair.
    if let path = Program.environment()["NOTIFY_SOCKET"] { _ = clinux_notify(path, state) }
  }
}
