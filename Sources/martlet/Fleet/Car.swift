/// A car that stands, drives in town or on the motorway, and burns fuel.
struct Car: Sendable {
  private enum Leg: CaseIterable { case standing, town, road, motorway }

  private var leg: Leg
  private var secondsLeft: Double
  private var speed: RandomWalk
  private var cabin: RandomWalk
  /// Percent of a full tank.
  private var fuel: Double

  init(using random: inout SeededRandom) {
    leg = Leg.allCases.randomElement(using: &random) ?? .town
    secondsLeft = Double.random(in: 10...60, using: &random)
    fuel = Double.random(in: 25...95, using: &random)
    cabin = RandomWalk(from: Double.random(in: 19...24, using: &random), in: 16...28, stride: 0.1, pull: 0.02)
    speed = RandomWalk(from: 0, in: 0...140, stride: 3, pull: 0.08)
    speed = RandomWalk(from: cruise, in: 0...140, stride: 3, pull: 0.08)
  }

  /// Kilometres per hour that the driver aims at.
  private var cruise: Double {
    switch leg {
    case .standing: 0
    case .town: 42
    case .road: 78
    case .motorway: 118
    }
  }

  mutating func step(seconds: Double, using random: inout SeededRandom) {
    secondsLeft -= seconds
    if secondsLeft <= 0 {
      leg = Leg.allCases.filter { $0 != leg }.randomElement(using: &random) ?? .town
      secondsLeft = Double.random(in: leg == .standing ? 8...25 : 30...120, using: &random)
      // The tank is filled where the car stands anyway.
      if leg == .standing, fuel < 30 { fuel = 100 }
    }
    speed.step(toward: cruise, seconds: seconds, using: &random)
    if leg == .standing, speed.value < 4 { speed.settle(at: 0) }
    cabin.step(toward: 21.5, seconds: seconds, using: &random)
    // About 7 litres a 100 km from a tank of 50 litres, and a little when standing.
    fuel = max(2, fuel - speed.value / 3_600 * seconds * 0.14 - 0.0004 * seconds)
  }

  var measurements: [(name: StaticString, tenths: Int)] {
    [
      ("speed", tenths(speed.value)), ("fuel", tenths(fuel)),
      ("cabin_temperature", tenths(cabin.value)),
    ]
  }
}

extension RandomWalk {
  /// Puts the value where it should be, within the range.
  mutating func settle(at value: Double) {
    self = RandomWalk(
      from: min(max(value, range.lowerBound), range.upperBound), in: range, stride: stride, pull: pull)
  }
}
