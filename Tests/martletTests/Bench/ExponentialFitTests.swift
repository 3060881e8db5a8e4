import Glibc
import Testing

@testable import martlet

@Suite("Exponential fit") struct ExponentialFitTests {
  private func times(_ count: Int, tau: Double, offset: Double, seed: UInt64) -> LatencyHistogram {
    var random = SeededRandom(seed: seed)
    var histogram = LatencyHistogram()
    for _ in 0..<count {
      histogram.record(UInt64(offset - tau * log(1 - Double.random(in: 0..<1, using: &random))))
    }
    return histogram
  }

  @Test("Finds tau of exponential times, and says that it fits")
  func plain() throws {
    let fit = try #require(ExponentialFit(times(20_000, tau: 250_000, offset: 0, seed: 1)))
    #expect(abs(fit.tau - 250_000) < 5_000)
    #expect(fit.offset < 100)
    #expect(fit.rSquared > 0.999)
    #expect(fit.distance < 0.01)
  }

  @Test("Finds the offset, too")
  func shifted() throws {
    let fit = try #require(ExponentialFit(times(20_000, tau: 250_000, offset: 400_000, seed: 2)))
    #expect(abs(fit.tau - 250_000) < 5_000)
    #expect(abs(fit.offset - 400_000) < 4_000)
    #expect(fit.rSquared > 0.999)
    #expect(fit.distance < 0.015)
  }

  @Test("Keeps the plain curve where the shifted one fits worse")
  func notShifted() throws {
    var histogram = times(2_000, tau: 1e6, offset: 0, seed: 4)
    // Exponential as a whole, but for a gap at the beginning: the shortest time is no good offset.
    var shifted = LatencyHistogram()
    for cell in histogram.occupied where cell.lower > 300_000 {
      for _ in 0..<cell.count { shifted.record(cell.lower) }
    }
    histogram.merge(shifted)
    let fit = try #require(ExponentialFit(histogram))
    #expect(fit.offset <= Double(histogram.minimum))
    #expect(abs(fit.tau + fit.offset - histogram.mean) < 1)
  }

  @Test("Says that even times are not exponential")
  func even() throws {
    var histogram = LatencyHistogram()
    for value in UInt64(0)..<10_000 { histogram.record(1_000_000 + value) }
    let fit = try #require(ExponentialFit(histogram))
    // The largest distance between 1 - e^(-2x) and x for x in 0...1 is 0.1534.
    #expect(fit.offset == 1_000_000)
    #expect(abs(fit.distance - 0.153) < 0.01)
    #expect(fit.rSquared < 0.95)
  }

  @Test("Two groups of times do not fit")
  func twoGroups() throws {
    var histogram = LatencyHistogram()
    for index in UInt64(0)..<1_000 { histogram.record(index % 2 == 0 ? 1_000 + index : 1_000_000 + index) }
    let fit = try #require(ExponentialFit(histogram))
    #expect(fit.distance > 0.3)
    #expect(fit.rSquared < 0.9)
  }

  @Test("Needs two different times")
  func tooFew() {
    var histogram = LatencyHistogram()
    #expect(ExponentialFit(histogram) == nil)
    histogram.record(5_000)
    #expect(ExponentialFit(histogram) == nil)
    histogram.record(5_000)
    #expect(ExponentialFit(histogram) == nil)
    histogram.record(6_000)
    #expect(ExponentialFit(histogram) != nil)
  }
}
