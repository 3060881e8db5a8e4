import Glibc

/// One axis of a plot: which values it shows, where, and how it labels them.
struct PlotAxis: Sendable {
  let title: String
  let range: ClosedRange<Double>
  let isLogarithmic: Bool
  let ticks: [(value: Double, label: String)]

  /// From 0 to at least `maximum`, with round steps.
  static func linear(_ title: String, to maximum: Double, _ label: (Double) -> String) -> PlotAxis {
    let step = roundStep(maximum > 0 ? maximum / 4 : 0.25)
    let count = max(1, Int((maximum / step - 0.01).rounded(.up)))
    let ticks = (0...count).map { index -> (value: Double, label: String) in
      (Double(index) * step, label(Double(index) * step))
    }
    return PlotAxis(title: title, range: 0...(Double(count) * step), isLogarithmic: false, ticks: ticks)
  }

  /// By powers of ten that include `range`, whose bounds are above 0.
  static func logarithmic(
    _ title: String, _ range: ClosedRange<Double>, _ label: (Double) -> String
  ) -> PlotAxis {
    let lower = max(range.lowerBound, 1e-9)
    let upper = max(range.upperBound, lower * 1.001)
    let decades = log10(upper / lower)
    let steps: [Double] = decades > 3.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 1.5, 2, 3, 5, 7]
    var ticks: [(value: Double, label: String)] = []
    for exponent in Int(floor(log10(lower)))...Int(ceil(log10(upper))) {
      for step in steps {
        let value = step * pow(10, Double(exponent))
        if value >= lower * 0.999, value <= upper * 1.001 { ticks.append((value, label(value))) }
      }
    }
    return PlotAxis(title: title, range: lower...upper, isLogarithmic: true, ticks: ticks)
  }

  /// Where a value is, from 0 to 1; what is outside is at the edge.
  func place(_ value: Double) -> Double {
    let part: Double
    if isLogarithmic {
      part = log(max(value, range.lowerBound) / range.lowerBound) / log(range.upperBound / range.lowerBound)
    } else {
      part = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }
    return min(max(part, 0), 1)
  }

  /// 1, 2 or 5 times a power of ten, at least `step`.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, floor(log10(step)))
    return ([1, 2, 5, 10].first { $0 * power >= step * 0.999 } ?? 10) * power
  }

  /// A time in nanoseconds as short as it is unambiguous: `300 µs`, `1.5 ms`.
  static func time(_ nanoseconds: Double) -> String {
    if nanoseconds == 0 { return "0" }
    let (value, unit) =
      switch nanoseconds {
      case ..<999: (nanoseconds, "ns")
      case ..<999_000: (nanoseconds / 1e3, "µs")
      case ..<999_000_000: (nanoseconds / 1e6, "ms")
      default: (nanoseconds / 1e9, "s")
      }
    return number(value) + " " + unit
  }

  /// `1200` as `1.2k`.
  static func amount(_ value: Double) -> String {
    switch abs(value) {
    case 999_999...: number(value / 1e6) + "M"
    case 1_000...: number(value / 1e3) + "k"
    default: number(value)
    }
  }

  /// Without needless zeros.
  static func number(_ value: Double) -> String {
    let text = Figure.fixed(value, 2)
    let trimmed = text.reversed().drop { $0 == "0" }
    return String((trimmed.first == "." ? trimmed.dropFirst() : trimmed[...]).reversed())
  }
}
