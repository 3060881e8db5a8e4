import Glibc

/// P(t) = 1 - e^(-(t - offset) / tau), fitted to recorded times by maximum likelihood, and how well it fits.
///
/// Two curves are tried: one that begins at 0, whose tau is the mean, and one that begins at the shortest time, whose tau
/// is the mean minus that. The one that stays nearer to the measured distribution is kept.
struct ExponentialFit: Sendable, Equatable {
  /// In nanoseconds.
  var tau: Double
  /// Where the curve begins: 0 or the shortest time, in nanoseconds.
  var offset: Double
  /// The coefficient of determination between the measured and the fitted distribution function: 1 is perfect.
  var rSquared: Double
  /// The largest distance between the two (Kolmogorov-Smirnov): 0 is perfect.
  var distance: Double

  /// nil with fewer than two different times.
  init?(_ times: LatencyHistogram) {
    guard times.count > 1, times.maximum > times.minimum else { return nil }
    let cells = times.occupied
    let candidates = [0, Double(times.minimum)].map { offset in
      ExponentialFit(cells, times, offset: offset)
    }
    guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
    self = best
  }

  private init(
    _ cells: [(lower: UInt64, upper: UInt64, count: UInt64)], _ times: LatencyHistogram, offset: Double
  ) {
    self.offset = offset
    tau = times.mean - offset
    (rSquared, distance) = (0, 0)
    let total = Double(times.count)
    var (below, squares, spread) = (0.0, 0.0, 0.0)
    for cell in cells {
      let above = below + Double(cell.count) / total
      // The times of a cell are taken as evenly spread over it, between the shortest and the longest there are.
      let lower = max(cell.lower, times.minimum)
      let upper = min(cell.upper, times.maximum)
      let atLower = probability(Double(lower))
      let atUpper = probability(Double(upper))
      distance = max(distance, abs(atLower - below), abs(atUpper - above))
      let error = (atLower + atUpper - below - above) / 2
      let deviation = (below + above) / 2 - 0.5
      squares += Double(cell.count) * error * error
      spread += Double(cell.count) * deviation * deviation
      below = above
    }
    rSquared = spread > 0 ? 1 - squares / spread : 0
  }

  /// The part of the times that the curve has at or below `nanoseconds`.
  func probability(_ nanoseconds: Double) -> Double {
    nanoseconds <= offset ? 0 : 1 - exp(-(nanoseconds - offset) / tau)
  }
}
