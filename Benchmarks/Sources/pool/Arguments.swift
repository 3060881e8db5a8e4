import Glibc

/// What to do, from the command line.
struct Arguments: Sendable {
  var url = "ws://127.0.0.1:9001/"
  var pid: Int32 = 0
  var requests = 5_000
  var size = 64

  static let usage = """
    pool: requests over a pool, and with a connection each

      --url URL          ws:// or wss:// address of an echo server  (ws://127.0.0.1:9001/)
      --pid PID          the server's process: shows its CPU time
      --requests N       of each measurement                                        (5000)
      --size BYTES       of a message                                                 (64)
    """

  init() {
    var words = Array(CommandLine.arguments.dropFirst())
    while !words.isEmpty {
      let flag = words.removeFirst()
      guard flag != "--help", !words.isEmpty else { Self.stop() }
      let value = words.removeFirst()
      switch flag {
      case "--url": url = value
      case "--pid": pid = Int32(Self.number(value))
      case "--requests": requests = max(100, Self.number(value))
      case "--size": size = Self.number(value)
      default: Self.stop()
      }
    }
  }

  private static func number(_ text: String) -> Int {
    guard let number = Int(text), number >= 0 else { stop() }
    return number
  }

  private static func stop() -> Never {
    print(usage)
    exit(2)
  }
}
