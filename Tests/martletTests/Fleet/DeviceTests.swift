import Testing

@testable import martlet

@Suite("The simulated fleet") struct DeviceTests {
  private static let start: Int64 = 1_760_000_000_000

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The number behind `"name":` of a report.
  private func number(_ name: String, in report: String) -> Double? {
    guard let range = report.firstRange(of: "\"\(name)\":") else { return nil }
    return Double(report[range.upperBound...].prefix { "-.0123456789".contains($0) })
  }

  @Test("Homes and cars take turns, and names count up")
  func names() {
    let names = [0, 1, 2, 17, 18, 199, 200].map { Device(index: $0, seed: 1).name }
    #expect(names == ["home-01", "car-01", "home-02", "car-09", "home-10", "car-100", "home-101"])
  }

  @Test("A report has the members that pages read, in one line of JSON")
  func reports() throws {
    var home = Device(index: 0, seed: 1)
    var car = Device(index: 1, seed: 1)
    let homePattern =
      /\{"device":"home-01","kind":"home","temperature":\d+\.\d,"humidity":\d+\.\d,"pressure":\d+\.\d,"at":1760000000000\}/
    let carPattern =
      /\{"device":"car-01","kind":"car","speed":\d+\.\d,"fuel":\d+\.\d,"cabin_temperature":\d+\.\d,"at":1760000000000\}/
    #expect(try homePattern.wholeMatch(in: text(home.report(at: Self.start))) != nil)
    #expect(try carPattern.wholeMatch(in: text(car.report(at: Self.start))) != nil)
  }

  @Test("The same seed makes the same walk")
  func seeds() {
    var devices = [Device(index: 3, seed: 7), Device(index: 3, seed: 7), Device(index: 3, seed: 8)]
    let reports = devices.indices.map { index in
      (0..<50).map { text(devices[index].report(at: Self.start + Int64($0) * 500)) }
    }
    #expect(reports[0] == reports[1])
    #expect(reports[0] != reports[2])
  }

  @Test("A day of reports stays plausible, moves, and never jumps", arguments: 0..<4)
  func plausible(index: Int) throws {
    let limits: [String: (ClosedRange<Double>, step: Double)] = [
      "temperature": (18...26, 0.5), "humidity": (25...70, 2), "pressure": (985...1_035, 0.5),
      "speed": (0...140, 20), "fuel": (0...100, 100), "cabin_temperature": (16...28, 1),
    ]
    var device = Device(index: index, seed: 42)
    var last: [String: Double] = [:]
    var seen: [String: Set<Double>] = [:]
    for second in 0..<86_400 where second % 7 < 2 {
      let report = text(device.report(at: Self.start + Int64(second) * 1_000))
      for (name, limit) in limits {
        guard let value = number(name, in: report) else { continue }
        #expect(limit.0.contains(value), "\(name) \(value)")
        if second % 7 == 1, let before = last[name] {
          #expect(abs(value - before) <= limit.step, "\(name) from \(before) to \(value)")
        }
        last[name] = value
        seen[name, default: []].insert(value)
      }
    }
    #expect(seen.count == 3)
    #expect(seen.values.allSatisfy { $0.count > 10 })
  }
}
