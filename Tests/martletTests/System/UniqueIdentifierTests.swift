import Testing

@testable import martlet

@Suite struct UniqueIdentifierTests {
  @Test func theyAreSpelledAsRandomUUIDs() {
    for _ in 0..<200 {
      let text = Array(UniqueIdentifier.make())
      #expect(text.count == 36)
      #expect(text.indices.filter { text[$0] == "-" } == [8, 13, 18, 23])
      #expect(text.allSatisfy { "0123456789abcdef-".contains($0) })
      #expect(text[14] == "4")
      #expect("89ab".contains(text[19]))
    }
  }

  @Test func allDigitsAreRandom() {
    let texts = (0..<200).map { _ in Array(UniqueIdentifier.make()) }
    #expect(Set(texts).count == 200)
    // Of 200 random digits all the same would be one in 16^199.
    for index in 0..<36 where ![8, 13, 14, 18, 23].contains(index) {
      #expect(Set(texts.map { $0[index] }).count > 1, "digit \(index)")
    }
  }
}
