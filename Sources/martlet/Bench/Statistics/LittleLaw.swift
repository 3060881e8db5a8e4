/// R = L / T: with L requests in flight, each of which takes T, R are answered in a second.
enum LittleLaw {
  /// The measured throughput beside L / T; nil where the number in flight is not known.
  static func text(_ result: BenchResult) -> String? {
    guard let counted = result.counted, let (inFlight, mean) = load(result), mean > 0 else { return nil }
    let expected = inFlight / (mean / 1e9)
    return "L/T: \(Figure.count(inFlight)) in flight / \(Figure.time(mean)) ="
      + " \(Figure.count(expected))/s; measured is \(Figure.percent(counted.perSecond / expected)) of that"
  }

  private static func load(_ result: BenchResult) -> (inFlight: Double, mean: Double)? {
    switch result.benchmark {
    case "echo" where result.target.rate == nil:
      (Double(result.connections * result.target.depth), result.latency?.mean ?? 0)
    case "connect": (Double(result.connections), (result.connect?.mean ?? 0) + (result.close?.mean ?? 0))
    default: nil
    }
  }
}
