import WebSocketCore
import WebSockets

/// The flags of `martlet bench`.
enum BenchFlags {
  static let connections = Flag(
    "connections", .integer("N", in: 1...1_000_000), default: "100; connect: 16; idle: 10000",
    help: "connections; with 'connect', how many are being opened at once")
  static let size = Flag(
    "size", .bytes(in: 0...64 << 20), default: "64", help: "bytes of a message")
  static let depth = Flag(
    "depth", .integer("D", in: 1...65_536), default: "1; 64 with --rate",
    help: "messages in flight: on each connection (echo), publications (fanout)")
  static let seconds = Flag("seconds", .duration, default: "5s", help: "how long is measured")
  static let warmup = Flag(
    "warmup", .duration, default: "1s", help: "load before that, which does not count")
  static let rate = Flag(
    "rate", .number("MSGS_PER_S"), default: "as fast as replies come",
    help:
      "messages a second in all, at fixed times; response times count from when a message was due, even where it had"
      + " to wait")
  static let loops = Flag(
    "loops", .integer("N", in: 1...1_024), default: "1", help: "event loops (threads) of the generator")
  static let serverPID = Flag(
    "server-pid", .integer("PID", in: 1...Int(Int32.max)), repeatable: true,
    help: "the server's process on this machine: tells its CPU time and memory, its children's too")
  static let json = Switch("json", help: "print the result as one JSON object")
  static let report = Flag("report", .text("FILE.html"), help: "write a page with plots")

  static let all: [any FlagDescription] =
    [
      connections, size, depth, seconds, warmup, rate, loops, serverPID, json,
    ] + ConnectFlags.handshake + ClientTLS.flags

  /// - Throws: ``Problem`` when flags cannot be used together.
  static func target(_ arguments: Arguments, mode: BenchMode) throws(Problem) -> BenchTarget {
    let rate = arguments.value(rate)
    let size = arguments.value(size) ?? 64
    let depth = arguments.value(depth) ?? (rate == nil || mode != .echo ? 1 : 64)
    var options = try ConnectFlags.options(arguments)
    // The server's pings are answered; ours would be in the way of what is measured.
    options.socket.keepaliveIntervalMilliseconds = 0
    options.socket.limits = WebSocketLimits(maximumMessageBytes: max(1 << 20, 2 * size))
    options.socket.maximumQueuedBytes = (depth + 1) * (size + 14) + (1 << 20)
    var server: ServerProcess?
    let pids = arguments.allValues(serverPID)
    if !pids.isEmpty { server = try ServerProcess(pids) }
    return BenchTarget(
      url: arguments.operands[1], options: options,
      connections: arguments.value(connections) ?? mode.usualConnections, size: size, depth: depth,
      seconds: max(1, arguments.value(seconds) ?? 5), warmupSeconds: arguments.value(warmup) ?? 1, rate: rate,
      loops: arguments.value(loops) ?? 1, server: server)
  }
}

/// What is measured.
enum BenchMode: String, CaseIterable {
  case echo, fanout, idle, connect

  var usualConnections: Int {
    switch self {
    case .echo, .fanout: 100
    case .idle: 10_000
    case .connect: 16
    }
  }
}

extension ValueKind where Value == Double {
  /// A number above 0.
  static func number(_ placeholder: String) -> ValueKind {
    ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw, let number = Double(text), number > 0, number <= 1e9 else {
          throw BadValue("is not a number above 0 and up to 1e9")
        }
        return number
      },
      show: { "\($0)" })
  }
}
