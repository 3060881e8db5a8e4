import Testing

@testable import martlet

@Suite("Explanations") struct ExplanationTests {
  @Test(
    "When it is tried again",
    arguments: [
      (0, "at once"), (99, "at once"), (100, "in 0.1 s"), (1_999, "in 1.9 s"), (20_000, "in 20.0 s"),
    ] as [(UInt64, String)])
  func waiting(milliseconds: UInt64, time: String) {
    #expect(Explanation.waiting("gone", milliseconds: milliseconds) == "gone; trying again \(time)")
  }
}
