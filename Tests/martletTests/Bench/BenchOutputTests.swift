import JSON
import Testing
import WebSockets

@testable import martlet

@Suite("Results of martlet bench") struct BenchOutputTests {
  private func result(_ benchmark: String = "echo") -> BenchResult {
    let target = BenchTarget(
      url: "ws://h/<a>", options: WebSocketClientOptions(), connections: 2, size: 64, depth: 3, seconds: 1,
      warmupSeconds: 1, loops: 1)
    var result = BenchResult(benchmark, target)
    result.connections = 2
    result.seconds = 2
    result.counted = .init(name: "messages", unit: "message", count: 100, perSecond: 50)
    result.generatorCPU = 1e6
    return result
  }

  private func times(_ range: ClosedRange<UInt64>) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in range { histogram.record(value * 1_000) }
    return histogram
  }

  @Test("JSON is the contract of docs/bench.md")
  func json() throws {
    var result = result()
    result.latency = TimeSummary(times(1...4))
    result.server = .init(
      usage: .init(cpu: 1e6, user: 3, system: 1), residentKiB: 5_000, bytesPerConnection: 1_234.56)
    let text = String(decoding: BenchJSON.text(result), as: UTF8.self)
    #expect(
      text == """
        {"benchmark":"echo","url":"ws://h/<a>","connections":2,"size":64,"depth":3,"seconds":2,"messages":100,\
        "messages_per_second":50,"latency_us":{"mean":2.5,"p50":2.004,"p90":4,"p99":4,"p999":4,"max":4},"errors":0,\
        "server":{"cpu_us_per_message":10,"user_us_per_message":7.5,"system_us_per_message":2.5,"rss_kib":5000,\
        "rss_bytes_per_connection":1235},"generator":{"cpu_us_per_message":10,"cores":0.001}}
        """)
  }

  @Test("Times with a fitted curve have its figures")
  func fitted() throws {
    var result = result()
    result.connect = TimeSummary(times(1...1_000), fitted: true)
    let value = try JSONValue(parsing: BenchJSON.text(result))
    for name in ["mean", "p50", "p90", "p99", "p999", "max", "tau", "fit_offset", "fit_r2", "fit_ks"] {
      #expect(value["connect_us"]?[name] != nil, "\(name)")
    }
    #expect(value["server"] == nil)
    #expect(value["close_us"] == nil)
  }

  @Test("Throughput stands beside L / T")
  func littleLaw() {
    var result = result()
    result.latency = TimeSummary(times(100...100))
    #expect(
      LittleLaw.text(result) == "L/T: 6 in flight / 100 µs = 60,000/s; measured is 0 % of that")
    result.target.rate = 10
    #expect(LittleLaw.text(result) == nil)
    var connect = self.result("connect")
    connect.connect = TimeSummary(times(30...30))
    connect.close = TimeSummary(times(10...10))
    #expect(
      LittleLaw.text(connect) == "L/T: 2 in flight / 40.0 µs = 50,000/s; measured is 0 % of that")
  }

  @Test("The memory of a connection is the slope between the last two points")
  func slope() {
    #expect(MemoryPoint.slope([]) == nil)
    #expect(MemoryPoint.slope([.init(connections: 0, residentKiB: 9)]) == nil)
    let points = [
      MemoryPoint(connections: 0, residentKiB: 9_000), .init(connections: 100, residentKiB: 10_000),
    ]
    #expect(MemoryPoint.slope(points) == 10_240)
    #expect(MemoryPoint.slope(points + [.init(connections: 300, residentKiB: 11_000)]) == 5_120)
  }

  @Test("Errors are counted by kind, and of kinds there is an end")
  func tally() {
    var tally = ErrorTally()
    for index in 0..<40 { tally.add("kind \(index)", 2) }
    tally.add("kind 0")
    tally.add("none", 0)
    #expect(tally.count == 81)
    #expect(tally.kinds.count == 16)
    #expect(tally.kinds[0].count == 3)
    var sum = ErrorTally()
    sum.add("kind 1")
    sum.merge(tally)
    #expect(sum.count == 82)
    #expect(sum.kinds[0].count == 3)
  }

  @Test("Terminals get what peers say without control characters")
  func text() {
    var result = result()
    result.errors.add("closed with 1011: \u{1B}[31m")
    let text = BenchText.text(result, Style(hasColours: false))
    #expect(!text.contains("\u{1B}"))
    #expect(text.contains("1 x closed with 1011"))
  }

  @Test("The page needs nothing from elsewhere, and escapes what is not its own")
  func page() {
    var result = result()
    result.latency = TimeSummary(times(1...5_000))
    result.connect = TimeSummary(times(10...900), fitted: true)
    result.samples = [.init(seconds: 0.1, perSecond: 10), .init(seconds: 0.2, perSecond: 30)]
    result.errors.add("<script>alert(1)</script>")
    let html = BenchPage.html(result)
    #expect(html.components(of: "<svg").count == 5)
    #expect(html.contains("ws://h/&lt;a&gt;"))
    for foreign in ["<script", "src=", "href=", "@import", "url(", "http:", "https:", "nan", "inf "] {
      #expect(!html.contains(foreign), "\(foreign)")
    }
    #expect(html.contains("prefers-color-scheme: dark"))
    #expect(html.contains("width=device-width"))
  }

  @Test("A result without anything still makes a page")
  func emptyPage() {
    let html = BenchPage.html(BenchResult("idle", result().target))
    #expect(html.contains("</html>"))
    #expect(!html.contains("<svg"))
  }
}

extension String {
  fileprivate func components(of separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
