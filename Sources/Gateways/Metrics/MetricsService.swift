import EventLoops
import HTTPCore
import Realtime
import Transport
import WebSockets

/// What the operating system knows of the process.
public struct ProcessFigures: Sendable {
  /// Processor time used, user and system, in seconds.
  public var cpuSeconds = 0.0
  /// Resident memory, in bytes.
  public var residentBytes: UInt64 = 0
  /// Open file descriptors.
  public var openDescriptors = 0
  /// How many there may be.
  public var maximumDescriptors: UInt64 = 0
  /// When the process started, in seconds since 1970.
  public var startSeconds = 0.0

  /// Makes figures of nothing.
  public init() {}
}

/// `GET /metrics`: everything that is counted, in Prometheus' text format. No series has labels that grow with clients or
/// channels.
public final class MetricsService: Sendable {
  private let hub: Hub
  private let server: ServerCounters
  private let version: String
  private let allowed: [AddressRange]
  private let counters: @Sendable () -> [(name: String, value: UInt64)]
  private let process: @Sendable () -> ProcessFigures

  /// Makes the service.
  ///
  /// - Parameters:
  ///   - hub: whose counters are shown; the service runs on its loops.
  ///   - server: the counters of connections and requests.
  ///   - version: what `martlet_build_info` says.
  ///   - allowed: the clients that may read; others get 403.
  ///   - counters: what is counted besides, with the names of docs/limits.md.
  ///   - process: asks the system.
  public init(
    hub: Hub, server: ServerCounters, version: String, allowed: [AddressRange],
    counters: @escaping @Sendable () -> [(name: String, value: UInt64)],
    process: @escaping @Sendable () -> ProcessFigures
  ) {
    self.hub = hub
    self.server = server
    self.version = version
    self.allowed = allowed
    self.counters = counters
    self.process = process
  }

  /// Answers a request; on a loop of the hub.
  func handle(_ exchange: HTTPExchange) {
    guard exchange.head.method == .get || exchange.head.method == .head else {
      var response = HTTPResponse.text(.methodNotAllowed, "Metrics are read by GET.\n")
      response.fields.append("Allow", "GET, HEAD")
      return exchange.respond(response)
    }
    guard allowed.contain(exchange.clientAddress) else {
      let hint = "Metrics are not for this address; the server's metrics.allowed would have to name it.\n"
      return exchange.respond(.text(.forbidden, hint))
    }
    hub.counters { [self] in exchange.respond(response($0)) }
  }

  private func response(_ hubCounters: HubCounters) -> HTTPResponse {
    var response = HTTPResponse(status: .ok, body: .make(copying: text(hubCounters)))
    response.fields.append("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
    return response
  }

  func text(_ hubCounters: HubCounters) -> [UInt8] {
    var text = MetricsText()
    text.gauge(
      "martlet_build_info{version=\"\(version)\"}", 1, "Always 1; the label says which version runs.")
    write(hubCounters, to: &text)
    for (name, histogram) in server.durations {
      text.histogram("martlet_\(name)_seconds", histogram, MetricsHelp.duration(name))
    }
    for (name, value) in server.values + counters() {
      text.counter("martlet_\(name)_total", value, MetricsHelp.counter(name))
    }
    writeLoops(to: &text)
    write(process(), to: &text)
    return text.bytes
  }

  private func write(_ counters: HubCounters, to text: inout MetricsText) {
    text.gauge("martlet_clients", Double(counters.clients), "Connected client sessions.")
    text.gauge(
      "martlet_users", Double(counters.users), "Distinct users among them, anonymous ones not counted.")
    text.gauge("martlet_subscriptions", Double(counters.subscriptions), "Subscriptions.")
    text.gauge("martlet_channels", Double(counters.channels), "Channels with subscribers.")
    text.gauge("martlet_channels_held", Double(counters.heldChannels), "Channels in memory.")
    text.counter("martlet_messages_published_total", counters.published, "Publications accepted.")
    text.counter(
      "martlet_messages_delivered_total", counters.delivered, "Publications handed to subscribers.")
    text.counter("martlet_messages_suppressed_total", counters.suppressed, "Repeats that were not published.")
    text.counter(
      "martlet_messages_acknowledged_total", counters.acknowledged,
      "Publications that clients have acknowledged.")
    text.counter(
      "martlet_consumers_behind_total", counters.consumersBehind,
      "Subscriptions that got no more because too much was not acknowledged.")
    text.counter(
      "martlet_publications_filtered_total", counters.filtered, "Publications that a filter held back.")
    text.counter(
      "martlet_publications_dropped_total", counters.dropped, "Publications dropped for slow clients.")
    text.counter(
      "martlet_publications_conflated_total", counters.conflated,
      "Publications that a later one replaced before a slow client took them.")
    text.counter("martlet_deltas_total", counters.deltas, "Publications sent as differences.")
    text.gauge(
      "martlet_publications_delayed", Double(counters.delayed), "Publications that wait for their time.")
    text.counter(
      "martlet_insufficient_states_total", counters.insufficientStates,
      "Subscriptions ended because something was missed.")
    text.counter("martlet_recoveries_total", counters.recovered, "Clients that got all they had missed.")
    text.counter(
      "martlet_recoveries_failed_total", counters.unrecovered, "Clients that had to reload their state.")
    text.counter("martlet_limit_errors_total", counters.limitRefusals, "Operations refused by a limit.")
    text.counter(
      "martlet_permission_errors_total", counters.permissionRefusals, "Operations that were not allowed.")
  }

  private func writeLoops(to text: inout MetricsText) {
    let stalls = hub.loops.map(\.stalls)
    text.gauge("martlet_loops", Double(stalls.count), "Event loops.")
    text.counter(
      "martlet_loop_stalls_total", stalls.reduce(0) { $0 + $1.count },
      "Turns of an event loop of 10 ms or more, in which others waited.")
    text.gauge(
      "martlet_loop_longest_turn_seconds", Double(stalls.map(\.longestMilliseconds).max() ?? 0) / 1_000,
      "The longest of them.")
  }

  private func write(_ process: ProcessFigures, to text: inout MetricsText) {
    text.gauge("process_resident_memory_bytes", Double(process.residentBytes), "Resident memory.")
    text.gauge("process_open_fds", Double(process.openDescriptors), "Open file descriptors.")
    text.gauge("process_max_fds", Double(process.maximumDescriptors), "The limit of open file descriptors.")
    text.gauge("process_start_time_seconds", process.startSeconds, "When the process started.")
    text.counter("process_cpu_seconds_total", process.cpuSeconds, "Processor time, user and system.")
  }
}
