/// A value that wanders about a mean and never leaves its range.
struct RandomWalk: Sendable {
  private(set) var value: Double
  let range: ClosedRange<Double>
  /// How far it may move in a second.
  let stride: Double
  /// The part of the distance to the mean that it goes back in a second.
  let pull: Double

  init(from value: Double, in range: ClosedRange<Double>, stride: Double, pull: Double) {
    self.value = value
    self.range = range
    self.stride = stride
    self.pull = pull
  }

  /// Moves on by `seconds`. The stride grows with the root of the time, as a random walk does.
  mutating func step(toward mean: Double, seconds: Double, using random: inout SeededRandom) {
    let seconds = min(max(seconds, 0), 60)
    let back = (mean - value) * min(1, pull * seconds)
    value += back + random.wobble() * stride * seconds.squareRoot()
    value = min(max(value, range.lowerBound), range.upperBound)
  }
}
