import Testing
import Transport
import WebSockets

@testable import Gateways

@Suite struct MetricsHelpTests {
  @Test func everyCounterIsExplained() {
    let server = ServerCounters()
    let named =
      server.values + TLSCounters().values + CentrifugoCounters().values + TransportCounters().values
      + BackendCounters().values + WebhookCounters().values + CompressionCounters().values
    let others = ["token_key_fetches", "token_key_fetch_failures", "revocations"]
    let logged = ["log_lines_dropped", "log_lines_left_out"]
    for name in named.map(\.name) + others + logged {
      #expect(MetricsHelp.counter(name) != MetricsHelp.counter("no such counter"), "\(name)")
    }
    for (name, _) in server.durations {
      #expect(MetricsHelp.duration(name) != MetricsHelp.duration("no such duration"), "\(name)")
    }
  }
}
