import Glibc

/// What to do, from the command line.
struct Arguments {
  var url = "ws://127.0.0.1:9001/"
  var pid: Int32 = 0
  var connections = 100
  var idle = 0
  var churn = 0
  var depth = 1
  var size = 64
  var seconds = 5
  var greeting: String?
  var fanOut = 0
  var isCrowd = false
  var post: String?
  var channel: String?
  var hasDeflate = false
  var sendsText = false

  static let usage = """
    load: idle connections, churn and echo load on a WebSocket server

      --url URL          ws:// or wss:// address of the server   (ws://127.0.0.1:9001/)
      --pid PID          the server's process: shows its CPU time and memory
      --idle N           connections that are opened first and stay idle      (0)
      --greeting TEXT    sent by each idle connection, whose reply is awaited
      --churn N          N more are opened and closed, three rounds             (0)
      --connections N    connections that echo; 0 for none                    (100)
      --depth D          messages in flight on each                             (1)
      --size BYTES       of a message                                          (64)
      --fanout BYTES     publish so many to news:1, to which the greeting must subscribe
      --crowd            one message at a time, which all of them get
      --post PATH        such messages are posted there, not sent by the first connection
      --channel NAME     they are published there, by Martlet's HTTP API
      --text             messages like JSON, each different from those before
      --deflate          offers permessage-deflate
      --seconds S        of measuring, after one of warming up                  (5)
    """

  init() {
    var words = Array(CommandLine.arguments.dropFirst())
    while !words.isEmpty {
      let flag = words.removeFirst()
      switch flag {
      case "--crowd": isCrowd = true; continue
      case "--text": sendsText = true; continue
      case "--deflate": hasDeflate = true; continue
      default: break
      }
      guard flag.hasPrefix("--"), flag != "--help", !words.isEmpty else { Self.stop() }
      let value = words.removeFirst()
      switch flag {
      case "--url": url = value
      case "--greeting": greeting = value
      case "--channel": channel = value
      case "--post": post = value
      case "--pid": pid = Int32(Self.number(value))
      case "--idle": idle = Self.number(value)
      case "--churn": churn = Self.number(value)
      case "--connections": connections = Self.number(value)
      case "--depth": depth = Self.number(value)
      case "--size": size = Self.number(value)
      case "--fanout": fanOut = Self.number(value)
      case "--seconds": seconds = Self.number(value)
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
