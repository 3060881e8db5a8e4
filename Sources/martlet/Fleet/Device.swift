/// One device of the simulated fleet: what it measures and how it reports it.
struct Device: Sendable {
  private enum Kind: Sendable {
    case home(Home)
    case car(Car)
  }

  /// `home-01` or `car-01`.
  let name: String
  private var kind: Kind
  private var random: SeededRandom
  private var lastReport: Int64?

  /// The device with this index (from 0): homes and cars take turns.
  init(index: Int, seed: UInt64) {
    random = SeededRandom(seed: seed &+ UInt64(truncatingIfNeeded: index) &* 0x2545_F491_4F6C_DD1D)
    let number = index / 2 + 1
    let suffix = number < 10 ? "0\(number)" : "\(number)"
    if index.isMultiple(of: 2) {
      name = "home-\(suffix)"
      kind = .home(Home(using: &random))
    } else {
      name = "car-\(suffix)"
      kind = .car(Car(using: &random))
    }
  }

  /// Moves on to `milliseconds` (Unix time) and writes a report:
  /// `{"device":"home-01","kind":"home","temperature":21.4,…,"at":1700000000000}`.
  mutating func report(at milliseconds: Int64) -> [UInt8] {
    let seconds = lastReport.map { Double(milliseconds - $0) / 1_000 } ?? 0
    lastReport = milliseconds
    switch kind {
    case .home(var home):
      home.step(seconds: seconds, at: milliseconds, using: &random)
      kind = .home(home)
      return written("home", home.measurements, milliseconds)
    case .car(var car):
      car.step(seconds: seconds, using: &random)
      kind = .car(car)
      return written("car", car.measurements, milliseconds)
    }
  }

  private func written(
    _ kind: StaticString, _ measurements: [(name: StaticString, tenths: Int)], _ milliseconds: Int64
  ) -> [UInt8] {
    // Names and numbers only: nothing here needs escaping.
    var text = "{\"device\":\"\(name)\",\"kind\":\"\(kind)\""
    for (name, tenths) in measurements {
      text += ",\"\(name)\":\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
    return Array((text + ",\"at\":\(milliseconds)}").utf8)
  }
}
