import EventLoops
import HTTPCore
import Realtime
import Testing
import Transport
import WebSockets

@testable import Gateways

@Suite struct MetricsServiceTests {
  private func serve(allowed: [String], _ body: (UInt16) throws -> Void) async throws {
    let group = EventLoopGroup(loops: 2)
    let hub = Hub(
      loops: group.loops, namespaces: Namespaces(), encodings: [CentrifugoJSONEncoding()], wallClock: { 0 },
      randomBits: { 35 })
    let counters = ServerCounters()
    let clock = Clock()
    var options = RealtimeServerOptions(
      sessions: CentrifugoOptions(now: { clock.seconds }, makeClientID: { clock.nextIdentifier() }))
    options.metrics = MetricsService(
      hub: hub, server: counters, version: "1.2.3", allowed: allowed.compactMap(AddressRange.init),
      counters: { [("sessions_opened", 7)] },
      process: {
        var figures = ProcessFigures()
        figures.cpuSeconds = 1.5
        figures.residentBytes = 4_096
        return figures
      })
    options.isReady = { false }
    let api = HTTPAPI(
      hub: hub, keys: [], node: NodeIdentity(uid: "", name: "", version: ""), uptimeSeconds: { 0 })
    var httpOptions = HTTPServerOptions()
    httpOptions.counters = counters
    let server = try await HTTPServer.start(
      group: group, host: "127.0.0.1", port: 0, options: httpOptions,
      service: RealtimeServer(hub: hub, api: api, options: options))
    do {
      try body(server.port)
    } catch {
      Issue.record(error)
    }
    await server.shutdown(graceMilliseconds: 0)
    group.shutdown()
  }

  private func exchange(_ line: String, port: UInt16) throws -> String {
    let client = try LoopbackClient(port: port)
    try client.send("\(line) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    return client.receiveText()
  }

  @Test func everySeriesHasItsTypeAndItsValue() async throws {
    try await serve(allowed: ["127.0.0.1"]) { port in
      _ = try exchange("GET /health", port: port)
      let text = try exchange("GET /metrics", port: port)
      #expect(text.hasPrefix("HTTP/1.1 200 "))
      #expect(text.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
      for line in [
        "# TYPE martlet_build_info gauge\nmartlet_build_info{version=\"1.2.3\"} 1\n",
        "# TYPE martlet_clients gauge\nmartlet_clients 0\n",
        "# TYPE martlet_sessions_opened_total counter\nmartlet_sessions_opened_total 7\n",
        "# TYPE martlet_http_response_seconds histogram\nmartlet_http_response_seconds_bucket{le=\"0.001\"} 1\n",
        "martlet_http_response_seconds_bucket{le=\"+Inf\"} 1\nmartlet_http_response_seconds_sum 0\n"
          + "martlet_http_response_seconds_count 1\n",
        "martlet_loops 2\n", "# TYPE martlet_loop_stalls_total counter\nmartlet_loop_stalls_total 0\n",
        "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n",
        "process_resident_memory_bytes 4096\n",
      ] { #expect(text.contains(line), "\(line)") }
    }
  }

  @Test func othersGetNothing() async throws {
    try await serve(allowed: ["10.0.0.0/8"]) { port in
      for (line, status) in [("GET /metrics", "403"), ("POST /metrics", "405"), ("GET /ready", "503")] {
        let answer = try exchange(line, port: port)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(line)")
      }
    }
  }
}
