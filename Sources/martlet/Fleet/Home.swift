import Glibc

/// A sensor in a living room.
struct Home: Sendable {
  private var temperature: RandomWalk
  private var humidity: RandomWalk
  private var pressure: RandomWalk
  /// How warm its people like it.
  private let comfort: Double

  init(using random: inout SeededRandom) {
    comfort = Double.random(in: 20.5...22.5, using: &random)
    temperature = RandomWalk(from: comfort, in: 18...26, stride: 0.08, pull: 0.02)
    humidity = RandomWalk(
      from: Double.random(in: 38...55, using: &random), in: 25...70, stride: 0.25, pull: 0.01)
    pressure = RandomWalk(
      from: Double.random(in: 1_008...1_018, using: &random), in: 985...1_035, stride: 0.04, pull: 0.001)
  }

  /// Moves on by `seconds`; warmest at four in the afternoon (UTC), coldest before dawn.
  mutating func step(seconds: Double, at milliseconds: Int64, using random: inout SeededRandom) {
    let hour = Double(milliseconds % 86_400_000) / 3_600_000
    let drift = 1.6 * cos((hour - 16) / 24 * 2 * .pi)
    temperature.step(toward: comfort + drift, seconds: seconds, using: &random)
    // Warm air feels drier.
    humidity.step(toward: 45 - 2 * drift, seconds: seconds, using: &random)
    pressure.step(toward: 1_013, seconds: seconds, using: &random)
  }

  var measurements: [(name: StaticString, tenths: Int)] {
    [
      ("temperature", tenths(temperature.value)), ("humidity", tenths(humidity.value)),
      ("pressure", tenths(pressure.value)),
    ]
  }
}

/// `value` in tenths, rounded: what a sensor with one decimal reports.
func tenths(_ value: Double) -> Int { Int((value * 10).rounded()) }
