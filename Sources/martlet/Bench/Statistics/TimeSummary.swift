/// What is told of a set of times. Nanoseconds.
struct TimeSummary: Sendable {
  let times: LatencyHistogram
  /// Where it is asked for: the fitted curve.
  let fit: ExponentialFit?

  init(_ times: LatencyHistogram, fitted: Bool = false) {
    self.times = times
    fit = fitted ? ExponentialFit(times) : nil
  }

  var mean: Double { times.mean }

  /// Names and values of the percentiles that are told.
  var percentiles: [(name: String, nanoseconds: Double)] {
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)].map {
      ($0.0, Double(times.percentile($0.1)))
    } + [("max", Double(times.maximum))]
  }
}
