import Testing

@testable import WebSockets

@Suite struct DurationHistogramTests {
  @Test func bucketsHoldWhatIsUpToTheirBound() {
    let histogram = DurationHistogram()
    for milliseconds in [0, 1, 2, 3, 10_000, 10_001] as [UInt64] {
      histogram.record(milliseconds: milliseconds)
    }
    #expect(histogram.counts == [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    #expect(histogram.sumMilliseconds == 20_007)
  }
}
