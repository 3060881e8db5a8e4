import Testing

@testable import martlet

@Suite("Suggestions") struct SuggestionTests {
  @Test(
    "Distances",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("port", "port", 0), ("prot", "port", 1), ("por", "port", 1),
      ("pport", "port", 1), ("pirt", "port", 1), ("kitten", "sitting", 3),
    ])
  func distance(a: String, b: String, expected: Int) {
    #expect(Suggestion.editDistance(Array(a.utf8), Array(b.utf8)) == expected)
    #expect(Suggestion.editDistance(Array(b.utf8), Array(a.utf8)) == expected)
  }

  @Test("The nearest is named, if it is near")
  func nearest() {
    let names = ["serve", "echo", "connect", "publish", "subscribe"]
    #expect(Suggestion.nearest(to: "sevre", among: names) == "serve")
    #expect(Suggestion.nearest(to: "SUBSCRIBE", among: names) == "subscribe")
    #expect(Suggestion.nearest(to: "sub", among: names) == "subscribe")
    #expect(Suggestion.nearest(to: "history_sise", among: ["history-size"]) == "history-size")
    #expect(Suggestion.nearest(to: "xyz", among: names) == nil)
    #expect(Suggestion.nearest(to: "", among: names) == nil)
  }
}
