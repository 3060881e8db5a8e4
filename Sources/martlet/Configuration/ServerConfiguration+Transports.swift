import Gateways

extension ServerConfiguration {
  /// Clients without a WebSocket.
  struct Transports: Sendable {
    var pollWaitMilliseconds: UInt64 = 25_000
    var pollGapMilliseconds: UInt64 = 15_000
    var pollSessionsPerLoop = 10_000
    var tunnelsPerLoop = 10_000

    func options(_ limits: Limits) -> TransportOptions {
      var options = TransportOptions()
      options.maximumMessageBytes = limits.messageBytes
      options.maximumQueuedBytes = limits.queueBytes
      options.pollWaitMilliseconds = pollWaitMilliseconds
      options.pollGapMilliseconds = pollGapMilliseconds
      options.maximumPollSessionsPerLoop = pollSessionsPerLoop
      options.maximumTunnelsPerLoop = tunnelsPerLoop
      return options
    }
  }

  static let transportSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "poll.wait_seconds", \.transports.pollWaitMilliseconds, .seconds(in: 1...600),
      help: "How long a poll without news waits. Less than what proxies on the way allow a response to take."),
    Setting(
      "poll.gap_seconds", \.transports.pollGapMilliseconds, .seconds(in: 1...600),
      help: "How long a client of long-polling may stay away between two polls before its session ends."),
    Setting(
      "poll.sessions_per_loop", \.transports.pollSessionsPerLoop, .integer("N", in: 0...10_000_000),
      help: "Sessions of long-polling that one event loop may hold; more get 503."),
    Setting(
      "tunnels_per_loop", \.transports.tunnelsPerLoop, .integer("N", in: 0...10_000_000),
      help: "WebSockets in tunnels that one event loop may hold; more get 503."),
  ]
}
