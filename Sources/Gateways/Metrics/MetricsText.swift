import Bytes
import WebSockets

/// Writes Prometheus' text format, version 0.0.4. Names get the prefix `martlet_`, but for those of the process, which
/// have names that everybody knows.
struct MetricsText {
  private var writer = ByteWriter(capacity: 8_192)

  var bytes: [UInt8] { writer.bytes }

  /// What is so many now.
  mutating func gauge(_ name: String, _ value: Double, _ help: String) {
    head(name, "gauge", help)
    line(name, number: value)
  }

  /// What only goes up; the name ends with `_total`.
  mutating func counter(_ name: String, _ value: UInt64, _ help: String) {
    head(name, "counter", help)
    writer.append(utf8: "\(name) \(value)\n")
  }

  /// What only goes up, and is no whole number.
  mutating func counter(_ name: String, _ value: Double, _ help: String) {
    head(name, "counter", help)
    line(name, number: value)
  }

  /// Durations, in seconds as Prometheus wants them.
  mutating func histogram(_ name: String, _ histogram: DurationHistogram, _ help: String) {
    head(name, "histogram", help)
    var count: UInt64 = 0
    for (index, bucket) in histogram.counts.enumerated() {
      count += bucket
      let bound =
        DurationHistogram.bounds.indices.contains(index)
        ? Self.text(Double(DurationHistogram.bounds[index]) / 1_000) : "+Inf"
      writer.append(utf8: "\(name)_bucket{le=\"\(bound)\"} \(count)\n")
    }
    line(name + "_sum", number: Double(histogram.sumMilliseconds) / 1_000)
    writer.append(utf8: "\(name)_count \(count)\n")
  }

  private mutating func head(_ name: String, _ type: StaticString, _ help: String) {
    let family = name.prefix { $0 != "{" }
    writer.append(utf8: "# HELP \(family) \(help)\n# TYPE \(family) ")
    writer.append(type)
    writer.append("\n")
  }

  private mutating func line(_ name: String, number: Double) {
    writer.append(utf8: "\(name) \(Self.text(number))\n")
  }

  /// Whole numbers without a fraction.
  private static func text(_ number: Double) -> String {
    let whole = Int64(exactly: number)
    return whole.map(String.init) ?? String(number)
  }
}
