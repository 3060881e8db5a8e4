import Synchronization
import Transport
import WebSocketCore

/// How often a server's limits were met, since it was made. Any thread; what is counted here is rare, so that atomics
/// cost nothing.
public final class ServerCounters: Sendable {
  let requestsRejected = Atomic<UInt64>(0)
  let requestTimeouts = Atomic<UInt64>(0)
  let messagesTooBig = Atomic<UInt64>(0)
  let protocolErrors = Atomic<UInt64>(0)
  let pongTimeouts = Atomic<UInt64>(0)
  let closeTimeouts = Atomic<UInt64>(0)
  let slowConsumers = Atomic<UInt64>(0)
  let authenticationTimeouts = Atomic<UInt64>(0)
  let listener = ListenerCounters()
  let tls = TLSCounters()
  /// From the first byte that was waited for to the 101 response.
  let openings = DurationHistogram()
  /// From a whole HTTP request to its response.
  let responses = DurationHistogram()
  /// From our close frame to the end of the connection.
  let closings = DurationHistogram()

  /// Makes counters at zero.
  public init() {}

  func count(_ violation: ProtocolViolation) {
    if violation.closeCode == .messageTooBig { messagesTooBig.count() } else { protocolErrors.count() }
  }

  /// How long what the server does takes, by names.
  package var durations: [(name: String, histogram: DurationHistogram)] {
    [("websocket_opening", openings), ("http_response", responses), ("websocket_closing", closings)]
  }

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("http_rejected", requestsRejected.load(ordering: .relaxed)),
      ("http_timeouts", requestTimeouts.load(ordering: .relaxed)),
      ("messages_too_big", messagesTooBig.load(ordering: .relaxed)),
      ("protocol_errors", protocolErrors.load(ordering: .relaxed)),
      ("pong_timeouts", pongTimeouts.load(ordering: .relaxed)),
      ("close_timeouts", closeTimeouts.load(ordering: .relaxed)),
      ("slow_consumers", slowConsumers.load(ordering: .relaxed)),
      ("authentication_timeouts", authenticationTimeouts.load(ordering: .relaxed)),
      ("connections_refused", listener.overTotal.load(ordering: .relaxed)),
      ("connections_refused_by_address", listener.overAddress.load(ordering: .relaxed)),
      ("proxy_headers_refused", listener.badProxyHeaders.load(ordering: .relaxed)),
    ] + tls.values
  }
}

extension Atomic<UInt64> {
  /// Counts one.
  func count() { wrappingAdd(1, ordering: .relaxed) }
}
