import Glibc

/// The plots of a result.
enum BenchPlots {
  static func all(_ result: BenchResult) -> [Plot] {
    let name = result.benchmark == "echo" ? "Response times" : "Delivery times"
    return [
      histogram(name, result.latency), percentiles(name, result.latency),
      throughput(result),
      histogram("Last delivery of each publication", result.lastDelivery),
      distribution("Connect times", result.connect, "TCP, TLS if any, and the opening handshake."),
      distribution("Close times", result.close, "From our close frame to the end of the TCP connection."),
      memory(result),
    ].compactMap { $0 }
  }

  /// Bars of even width on a logarithmic axis.
  private static func histogram(_ name: String, _ summary: TimeSummary?) -> Plot? {
    guard let summary, summary.times.count > 1 else { return nil }
    let (lower, upper) = bounds(summary, from: 0.0005, to: 0.9995)
    let barCount = 60
    var bars = [Double](repeating: 0, count: barCount)
    let axis = PlotAxis.logarithmic("time", lower...upper, PlotAxis.time)
    for cell in summary.times.occupied {
      let place = axis.place(Double(cell.lower) + Double(cell.upper - cell.lower) / 2)
      bars[min(barCount - 1, Int(place * Double(barCount)))] +=
        Double(cell.count) / Double(summary.times.count)
    }
    let points = (0...barCount).map { index -> (x: Double, y: Double) in
      (lower * pow(upper / lower, Double(index) / Double(barCount)), index < barCount ? bars[index] * 100 : 0)
    }
    var plot = Plot(
      title: name, caption: "How many of 100 took how long; the outermost bars hold everything beyond.",
      x: axis, y: .linear("", to: (bars.max() ?? 0) * 100) { PlotAxis.number($0) + " %" },
      series: [.init(name: "", shape: .bars, colour: 1, points: points)])
    plot.marks = [("p50", 0.5), ("p99", 0.99)].map { label, part in
      let value = Double(summary.times.percentile(part))
      return (value, "\(label) \(Figure.time(value))")
    }
    return plot
  }

  /// The time at each percentile: 90 %, 99 %, 99.9 % at even distances.
  private static func percentiles(_ name: String, _ summary: TimeSummary?) -> Plot? {
    guard let summary, summary.times.count >= 10 else { return nil }
    let nines = min(6, log10(Double(summary.times.count)))
    let points = stride(from: 0.0, through: nines, by: 0.02).map { place -> (x: Double, y: Double) in
      (pow(10, place), Double(summary.times.percentile(1 - pow(10, -place))))
    }
    guard let first = points.first, let last = points.last else { return nil }
    let x = PlotAxis(
      title: "percentile", range: 1...pow(10, nines), isLogarithmic: true,
      ticks: [
        (2, "50 %"), (10, "90"), (100, "99"), (1e3, "99.9"), (1e4, "99.99"), (1e5, "99.999"),
        (1e6, "99.9999"),
      ]
      .filter { $0.0 <= pow(10, nines) })
    return Plot(
      title: "\(name) by percentile", caption: "So many of all were at least as fast as this.",
      x: x, y: .logarithmic("", max(1, first.y)...max(last.y, first.y * 2, 2), PlotAxis.time),
      series: [.init(name: "", shape: .line, colour: 1, points: points)])
  }

  private static func throughput(_ result: BenchResult) -> Plot? {
    guard let counted = result.counted, result.samples.count > 1, let last = result.samples.last else {
      return nil
    }
    let highest = result.samples.map(\.perSecond).max() ?? 0
    return Plot(
      title: "Throughput",
      caption: "\(counted.name.prefix(1).uppercased() + counted.name.dropFirst()) a second,"
        + " every tenth of a second. The dashed line is the mean.",
      x: .linear("seconds", to: last.seconds, PlotAxis.number), y: .linear("", to: highest, PlotAxis.amount),
      series: [
        .init(name: "", shape: .line, colour: 1, points: result.samples.map { ($0.seconds, $0.perSecond) }),
        .init(
          name: "", shape: .line, colour: 2, isDashed: true,
          points: [(0, counted.perSecond), (last.seconds, counted.perSecond)]),
      ])
  }

  /// The part that was done after a time, and the fitted curve.
  private static func distribution(_ name: String, _ summary: TimeSummary?, _ caption: String) -> Plot? {
    guard let summary, summary.times.count > 1 else { return nil }
    let upper = max(1, Double(summary.times.percentile(0.995)) * 1.05)
    let total = Double(summary.times.count)
    var below: UInt64 = 0
    var points: [(x: Double, y: Double)] = [(0, 0)]
    for cell in summary.times.occupied where Double(cell.lower) <= upper {
      below += cell.count
      points.append((min(Double(cell.upper), upper), Double(below) / total * 100))
    }
    var series = [Plot.Series(name: "measured", shape: .steps, colour: 1, points: points)]
    var words = caption
    if let fit = summary.fit {
      let curve = (0...100).map { index -> (x: Double, y: Double) in
        let time = upper * Double(index) / 100
        return (time, fit.probability(time) * 100)
      }
      let tau = Figure.time(fit.tau)
      series.append(.init(name: "fitted, τ = \(tau)", shape: .line, colour: 2, isDashed: true, points: curve))
      words += " " + FitText.text(fit).replacing("fit P", with: "Fit: P") + "."
    }
    return Plot(
      title: name, caption: words, x: .linear("time", to: upper, PlotAxis.time),
      y: .linear("", to: 100) { PlotAxis.number($0) + " %" }, series: series)
  }

  private static func memory(_ result: BenchResult) -> Plot? {
    guard result.memory.count > 1, let last = result.memory.last else { return nil }
    let highest = result.memory.map(\.residentKiB).max() ?? 0
    return Plot(
      title: "Memory of the server", caption: "Resident memory against open connections.",
      x: .linear("connections", to: Double(last.connections), PlotAxis.amount),
      y: .linear("", to: Double(highest) / 1_024) { PlotAxis.number($0) + " MiB" },
      series: [
        .init(
          name: "", shape: .line, colour: 1,
          points: result.memory.map { (Double($0.connections), Double($0.residentKiB) / 1_024) })
      ])
  }

  private static func bounds(_ summary: TimeSummary, from: Double, to: Double) -> (Double, Double) {
    let lower = max(1, Double(summary.times.percentile(from)) * 0.9)
    return (lower, max(lower * 2, Double(summary.times.percentile(to)) * 1.1))
  }
}
