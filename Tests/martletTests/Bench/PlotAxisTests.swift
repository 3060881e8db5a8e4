import Testing

@testable import martlet

@Suite("Axes of plots") struct PlotAxisTests {
  @Test(
    "Linear axes have round steps from 0 to beyond the largest value",
    arguments: [0.0, 0.7, 3, 99, 100, 101, 123_456])
  func linear(_ maximum: Double) {
    let axis = PlotAxis.linear("", to: maximum, PlotAxis.number)
    #expect(axis.ticks.first?.value == 0)
    #expect((axis.ticks.last?.value ?? 0) >= maximum)
    #expect((2...9).contains(axis.ticks.count))
    #expect(axis.place(0) == 0)
    #expect(axis.place(axis.range.upperBound) == 1)
    #expect(axis.place(-5) == 0)
  }

  @Test(
    "Logarithmic axes have some ticks, all within",
    arguments: [1.0...10, 900...1_100, 50_000...2_000_000, 1_000...1e9, 5...5])
  func logarithmic(_ range: ClosedRange<Double>) {
    let axis = PlotAxis.logarithmic("", range, PlotAxis.time)
    for tick in axis.ticks {
      #expect(tick.value >= range.lowerBound * 0.99 && tick.value <= axis.range.upperBound * 1.01)
    }
    #expect(axis.ticks.count <= 14)
    #expect(axis.place(range.lowerBound) == 0)
    #expect(axis.place(axis.range.upperBound) == 1)
    #expect(axis.place(0) == 0)
  }

  @Test(
    "Labels are short",
    arguments: [(300.0, "300 ns"), (1_500, "1.5 µs"), (2_000_000, "2 ms"), (30e6, "30 ms"), (1e9, "1 s")])
  func time(_ nanoseconds: Double, _ label: String) {
    #expect(PlotAxis.time(nanoseconds) == label)
  }

  @Test(
    "Amounts", arguments: [(0.0, "0"), (0.25, "0.25"), (100, "100"), (1_200, "1.2k"), (2_500_000, "2.5M")])
  func amount(_ value: Double, _ label: String) {
    #expect(PlotAxis.amount(value) == label)
  }
}
