import EventLoops
import WebSockets

/// What a benchmark connects to, and with how much: the same for all modes.
struct BenchTarget: Sendable {
  var url: String
  var options: WebSocketClientOptions
  /// Addresses of this machine, which connections take in turn; none leaves it to the system.
  var sources: [SocketAddress] = []
  var connections: Int
  /// Of a message, in bytes.
  var size: Int
  /// Texts like JSON instead of binary messages.
  var sendsText = false
  /// Messages in flight on a connection.
  var depth: Int
  var seconds: Int
  var warmupSeconds: Int
  /// Messages a second over all connections; nil sends the next when a reply has come.
  var rate: Double?
  var loops: Int
  var server: ServerProcess?
}

/// The options of one connection after the other: those of the target, from its sources in turn.
struct SourceRotation {
  private var options: WebSocketClientOptions
  private let sources: [SocketAddress]
  private var count = 0

  init(_ target: BenchTarget) {
    options = target.options
    sources = target.sources
  }

  mutating func next() -> WebSocketClientOptions {
    guard !sources.isEmpty else { return options }
    options.localAddress = sources[count % sources.count]
    count += 1
    return options
  }
}
