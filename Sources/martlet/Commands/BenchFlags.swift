import EventLoops
import HTTPCore
import Transport
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
  static let text = Switch(
    "text", help: "send texts like JSON, each different (for --deflate), instead of binary messages")
  static let seconds = Flag("seconds", .duration, default: "5s; idle: 2s", help: "how long is measured")
  static let warmup = Flag(
    "warmup", .duration, default: "1s", help: "load before that, which does not count")
  static let rate = Flag(
    "rate", .number("MSGS_PER_S"), default: "as fast as replies come",
    help:
      "messages a second in all, at fixed times; response times count from when a message was due, even where it had"
      + " to wait")
  static let loops = Flag(
    "loops", .integer("N", in: 1...1_024), default: "1", help: "event loops (threads) of the generator")
  static let source = Flag(
    "source", .sourceAddress, default: "the system's choice", repeatable: true,
    help:
      "address of this machine to connect from; several take turns, as from one there are some 28,000 connections to a"
      + " server at most")
  static let serverPID = Flag(
    "server-pid", .integer("PID", in: 1...Int(Int32.max)), repeatable: true,
    help: "the server's process on this machine: tells its CPU time and memory, its children's too")
  static let fullHandshakes = Switch(
    "full-handshakes", help: "wss: do not resume TLS sessions; every connection makes the whole handshake")
  static let wire = Flag(
    "protocol", .choice("plain", "centrifugo"), default: "centrifugo if the path is /connection/websocket",
    help: "fanout: plain servers send each message to everybody; centrifugo ones have channels")
  static let channel = Flag(
    "channel", .text("CHANNEL"), default: "news:bench", help: "fanout: the channel of the Centrifugo protocol"
  )
  static let token = Flag("token", .text("JWT"), help: "fanout: connect with this token")
  static let publishURL = Flag(
    "publish-url", .text("URL"), help: "fanout: publish by HTTP POST to this URL, not over a connection")
  static let apiKey = Flag(
    "api-key", .text("KEY"), environment: "MARTLET_API_KEY",
    help: "fanout: with --publish-url, call the HTTP API with this key; without, the message is the body")
  static let baseline = Flag(
    "baseline", .integer("N", in: 0...1_000_000), default: "2000, at most half of all",
    help: "idle: memory a connection is the slope from so many connections to all of them")
  static let greeting = Flag(
    "greeting", .text("TEXT"), repeatable: true,
    help: "idle: message that each connection sends; an answer is awaited")
  static let json = Switch("json", help: "print the result as one JSON object")
  static let report = Flag("report", .text("FILE.html"), help: "write a page with plots")

  static let all: [any FlagDescription] =
    [
      connections, size, text, depth, seconds, warmup, rate, loops, source, serverPID, json, report, wire,
      channel,
      token, publishURL, apiKey, baseline, greeting, fullHandshakes,
    ] + ConnectFlags.handshake + ClientTLS.flags

  /// - Throws: ``Problem`` when flags cannot be used together.
  static func target(_ arguments: Arguments, mode: BenchMode) throws(Problem) -> BenchTarget {
    let rate = arguments.value(rate)
    let size = arguments.value(size) ?? 64
    let depth = arguments.value(depth) ?? (rate == nil || mode != .echo ? 1 : 64)
    if arguments.has(text), size > 1 << 20 {
      throw .usage("--size: with --text a message has at most 1 MiB")
    }
    var options = try ConnectFlags.options(arguments)
    // As browsers offer it: a server that compresses with context is measured as it is.
    options.socket.compression?.receivesWithContext = true
    // The server's pings are answered; ours would be in the way of what is measured.
    options.socket.keepaliveIntervalMilliseconds = 0
    options.socket.limits = WebSocketLimits(maximumMessageBytes: max(16 << 20, 2 * size))
    options.tls.resumesSessions = !arguments.has(fullHandshakes)
    options.socket.maximumQueuedBytes = (depth + 1) * (size + 14) + (1 << 20)
    var server: ServerProcess?
    let pids = arguments.allValues(serverPID)
    if !pids.isEmpty { server = try ServerProcess(pids) }
    return BenchTarget(
      url: arguments.operands[1], options: options,
      sources: arguments.allValues(source),
      connections: arguments.value(connections) ?? mode.usualConnections, size: size,
      sendsText: arguments.has(text), depth: depth,
      seconds: mode == .idle ? arguments.value(seconds) ?? 2 : max(1, arguments.value(seconds) ?? 5),
      warmupSeconds: arguments.value(warmup) ?? 1, rate: rate,
      loops: arguments.value(loops) ?? 1, server: server)
  }
}

extension BenchFlags {
  /// - Throws: ``Problem`` when flags cannot be used together.
  static func fanOut(_ arguments: Arguments, _ target: BenchTarget) throws(Problem) -> FanOutOptions {
    var options = FanOutOptions()
    if let name = arguments.value(wire) {
      options.wire = FanOutOptions.Wire(rawValue: name) ?? .plain
    } else if let url = try? WebURL(target.url), url.target.hasPrefix("/connection/websocket") {
      options.wire = .centrifugo
    }
    if let name = arguments.value(channel) { options.channel = name }
    options.token = arguments.value(token)
    options.apiKey = arguments.value(apiKey)
    if let text = arguments.value(publishURL) { options.publish = try place(text, target) }
    guard target.size >= PublicationMark.minimumCount else {
      throw .usage(
        "--size: a publication carries its number and time, so it has at least"
          + " \(PublicationMark.minimumCount) bytes")
    }
    if options.wire == .plain, options.publish == nil, target.connections < 2 {
      throw .usage("--connections: one connection publishes and the others receive, so there must be 2")
    }
    return options
  }

  private static func place(_ text: String, _ target: BenchTarget) throws(Problem) -> FanOutOptions.Place {
    do {
      var server = try ServerAddress(text)
      server.tls = target.options.tls
      let url = try WebURL(text, schemes: ["http", "https"])
      return FanOutOptions.Place(server: server, target: url.target)
    } catch {
      throw .usage("--publish-url: \(quoted(text)) is not a URL such as http://127.0.0.1:8000/api/publish")
    }
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

extension ValueKind where Value == SocketAddress {
  /// An address without a port.
  static var sourceAddress: ValueKind {
    ValueKind(
      placeholder: "ADDRESS",
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw, let address = SocketAddress(literal: text, port: 0) else {
          throw BadValue("is not an address such as 127.0.0.2 or ::1")
        }
        return address
      },
      show: { $0.host })
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
