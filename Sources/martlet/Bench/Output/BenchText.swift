/// A result for people.
struct BenchText {
  private let result: BenchResult
  private let style: Style
  private var lines: [String] = []

  /// Lines without the last newline.
  static func text(_ result: BenchResult, _ style: Style) -> String {
    var text = BenchText(result, style)
    text.write()
    return text.lines.joined(separator: "\n")
  }

  private init(_ result: BenchResult, _ style: Style) {
    self.result = result
    self.style = style
  }

  private mutating func write() {
    lines.append(style.paint(heading, .bold))
    if let counted = result.counted {
      let total = "\(Figure.count(Double(counted.count))) in \(Figure.fixed(result.seconds, 2)) s"
      row("throughput", "\(Figure.count(counted.perSecond)) \(counted.name)/s (\(total))")
      if let publications = result.publications {
        row("", "\(Figure.count(Double(publications))) publications")
      }
      if let check = LittleLaw.text(result) { row("", check) }
    }
    times(result.benchmark == "echo" ? "response time" : "delivery time", result.latency)
    times("last delivery", result.lastDelivery)
    times("connect time", result.connect)
    times("close time", result.close)
    server()
    generator()
    row("errors", result.errors.count == 0 ? "0" : style.paint("\(result.errors.count)", .red))
    for kind in result.errors.kinds {
      row("", style.paint("\(kind.count) x \(kind.text.fitForTerminal)", .red))
    }
    memory()
    for note in result.notes { row("note", style.paint(note, .yellow)) }
  }

  private var heading: String {
    let target = result.target
    var text = "\(result.benchmark) \(target.url): \(Figure.count(Double(result.connections))) connections"
    if result.sendsMessages { text += ", \(target.size) B" }
    if let rate = target.rate { return text + ", \(Figure.short(rate)) messages/s asked for" }
    return result.sendsMessages ? text + ", \(target.depth) in flight" : text
  }

  private mutating func times(_ name: String, _ summary: TimeSummary?) {
    guard let summary, summary.times.count > 0 else { return }
    let names = ["p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "max": "max"]
    let parts = summary.percentiles.map { "\(names[$0.name] ?? $0.name) \(Figure.time($0.nanoseconds))" }
    row(name, "mean \(Figure.time(summary.mean))   " + parts.joined(separator: "   "))
    if let fit = summary.fit { row("", style.paint(FitText.text(fit), .dim)) }
  }

  private mutating func server() {
    guard let server = result.server else { return }
    var parts: [String] = []
    if let counted = result.counted, counted.count > 0 {
      let each = { (nanoseconds: Double) in Figure.time(nanoseconds / Double(counted.count)) }
      let split = server.usage.split
      parts.append(
        "CPU \(each(server.usage.cpu)) a \(counted.unit) (user \(each(split.user)), system \(each(split.system)))"
      )
      parts.append("\(Figure.percent(server.usage.cpu / 1e9 / max(result.seconds, 1e-9))) of a core")
    }
    parts.append("memory \(Figure.count(Double(server.residentKiB))) KiB")
    if let bytes = server.bytesPerConnection { parts.append("\(Figure.count(bytes)) B a connection") }
    row("server", parts.joined(separator: ", "))
  }

  private mutating func memory() {
    for point in result.memory {
      row(
        point == result.memory.first ? "memory" : "",
        "\(Figure.count(Double(point.residentKiB))) KiB with \(Figure.count(Double(point.connections))) connections"
      )
    }
  }

  private mutating func generator() {
    guard let counted = result.counted, counted.count > 0 else { return }
    let each = Figure.time(result.generatorCPU / Double(counted.count))
    row("generator", "CPU \(each) a \(counted.unit), \(Figure.percent(result.generatorShare)) of a core")
  }

  private mutating func row(_ name: String, _ value: String) {
    lines.append("  " + style.paint(HelpText.padded(name, to: 15), .cyan) + value)
  }
}

/// A fitted curve in words.
enum FitText {
  static func text(_ fit: ExponentialFit) -> String {
    let shift = fit.offset > 0 ? "(t - \(Figure.time(fit.offset)))" : "t"
    return "fit P = 1 - e^(-\(shift)/\(Figure.time(fit.tau))), R² \(Figure.fixed(fit.rSquared, 3)),"
      + " KS \(Figure.fixed(fit.distance, 3)): \(quality(fit))"
  }

  /// What the distance says.
  private static func quality(_ fit: ExponentialFit) -> String {
    switch fit.distance {
    case ..<0.05: "exponential"
    case ..<0.15: "roughly exponential"
    default: "not exponential"
    }
  }
}
