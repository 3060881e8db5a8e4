import WebSockets

/// What a benchmark connects to, and with how much: the same for all modes.
struct BenchTarget: Sendable {
  var url: String
  var options: WebSocketClientOptions
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
