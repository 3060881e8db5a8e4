import Testing

@testable import martlet

@Suite("Latency histogram") struct LatencyHistogramTests {
  @Test("Small values are exact")
  func exact() {
    var histogram = LatencyHistogram()
    for value in UInt64(1)...200 { histogram.record(value) }
    #expect(histogram.percentile(0.5) == 100)
    #expect(histogram.percentile(0.9) == 180)
    #expect(histogram.percentile(0.99) == 198)
    #expect(histogram.percentile(0.999) == 200)
    #expect(histogram.percentile(0) == 1)
    #expect(histogram.percentile(1) == 200)
    #expect(histogram.mean == 100.5)
    #expect(histogram.minimum == 1)
    #expect(histogram.maximum == 200)
  }

  @Test("Any value is found again to within 1/256, the largest exactly")
  func errorBound() {
    var random = SeededRandom(seed: 7)
    for shift in 0..<64 {
      for _ in 0..<4 {
        let value = UInt64.random(in: 0...(UInt64.max >> UInt64(63 - shift)), using: &random)
        var histogram = LatencyHistogram()
        // Neighbours on both sides, so that neither the minimum nor the maximum is the answer.
        histogram.record(0)
        histogram.record(value)
        histogram.record(.max)
        let found = histogram.percentile(0.5)
        #expect(abs(Double(found) - Double(value)) <= Double(value) / 256, "\(value)")
        #expect(histogram.percentile(1) == .max)
      }
    }
  }

  @Test("Percentiles of many values are those of the sorted list, to within 1 %")
  func sortedList() {
    var random = SeededRandom(seed: 1)
    var histogram = LatencyHistogram()
    var values: [UInt64] = []
    for _ in 0..<20_000 {
      let value = UInt64.random(
        in: 1_000...(1_000 << UInt64.random(in: 1...16, using: &random)), using: &random)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    for part in [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999] {
      let exact = Double(values[Int((part * 20_000).rounded(.up)) - 1])
      #expect(abs(Double(histogram.percentile(part)) - exact) <= exact / 100, "\(part)")
    }
  }

  @Test("Two histograms together are as one that has seen everything")
  func merge() {
    var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    var random = SeededRandom(seed: 3)
    for index in 0..<1_000 {
      let value = UInt64.random(in: 0...1 << 40, using: &random)
      if index % 3 == 0 { one.record(value) } else { other.record(value) }
      both.record(value)
    }
    one.merge(other)
    #expect(one.count == 1_000)
    #expect(one.mean == both.mean)
    #expect(one.minimum == both.minimum)
    #expect(one.maximum == both.maximum)
    for part in stride(from: 0.0, through: 1, by: 0.05) {
      #expect(one.percentile(part) == both.percentile(part))
    }
  }

  @Test("Cells follow each other without gaps, and hold what was recorded")
  func cells() {
    var histogram = LatencyHistogram()
    for value in UInt64(0)..<2_000 { histogram.record(value) }
    let cells = histogram.occupied
    #expect(cells.first?.lower == 0)
    for (one, next) in zip(cells, cells.dropFirst()) { #expect(one.upper == next.lower) }
    for cell in cells.dropLast() { #expect(cell.count == cell.upper - cell.lower) }
  }

  @Test("An empty one has nothing to say")
  func empty() {
    let histogram = LatencyHistogram()
    #expect(histogram.percentile(0.5) == 0)
    #expect(histogram.mean == 0)
    #expect(histogram.occupied.isEmpty)
  }
}
