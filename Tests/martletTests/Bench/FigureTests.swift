import Testing

@testable import martlet

@Suite("Figures for people") struct FigureTests {
  @Test(
    "Digits behind the point",
    arguments: [(1.005, "1.00"), (0.999, "1.00"), (12.3, "12.30"), (-0.001, "0.00")])
  func fixed(_ value: Double, _ text: String) {
    #expect(Figure.fixed(value, 2) == text)
  }

  @Test(
    "Commas",
    arguments: [(0.0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567.4, "1,234,567"), (-1_500, "-1,500")])
  func count(_ value: Double, _ text: String) {
    #expect(Figure.count(value) == text)
  }

  @Test(
    "Times",
    arguments: [
      (0.0, "0.00 µs"), (730, "0.73 µs"), (45_600, "45.6 µs"), (456_000, "456 µs"), (1_500_000, "1.50 ms"),
      (999_900, "1.00 ms"), (2e9, "2.00 s"), (999_900_000, "1.00 s"),
    ])
  func time(_ nanoseconds: Double, _ text: String) {
    #expect(Figure.time(nanoseconds) == text)
  }

  @Test("Not a number")
  func infinite() {
    #expect(Figure.fixed(.infinity, 1) == "inf")
    #expect(Figure.fixed(.nan, 1) == "nan")
  }
}
