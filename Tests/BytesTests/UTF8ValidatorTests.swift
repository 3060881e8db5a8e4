import Bytes
import TestRandomness
import Testing

@Suite struct UTF8ValidatorTests {
  /// How many bytes are taken before one is refused; nil if none is.
  private func refusal(_ bytes: [UInt8]) -> Int? {
    var validator = UTF8Validator()
    for (index, byte) in bytes.enumerated() {
      guard [byte].withUnsafeBytes({ validator.append($0) }) else { return index }
    }
    return nil
  }

  private func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Validator.validate($0) } }

  /// After Markus Kuhn's stress test: the first and last scalars of each length, and those beside the surrogates.
  static let valid: [[UInt8]] = [
    [], [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xE1, 0x80, 0x80],
    [0xEC, 0xBF, 0xBF], [0xED, 0x80, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBD],
    [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF0, 0xBF, 0xBF, 0xBF],
    [0xF1, 0x80, 0x80, 0x80], [0xF3, 0xBF, 0xBF, 0xBF], [0xF4, 0x80, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
    [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5],
  ]

  @Test(arguments: valid) func takes(_ bytes: [UInt8]) {
    // Behind and before ASCII of any length, so that the fast path meets it anywhere.
    for before in 0..<70 {
      let text = [UInt8](repeating: 0x61, count: before) + bytes + [UInt8](repeating: 0x7A, count: 9)
      #expect(isValid(text), "behind \(before) bytes")
      #expect(text.isEmpty || refusal(text) == nil)
    }
  }

  struct Refused: CustomTestStringConvertible {
    let bytes: [UInt8]
    /// The first byte that no valid text can have there.
    let at: Int
    var testDescription: String { bytes.map { String($0, radix: 16) }.joined(separator: " ") }

    init(_ at: Int, _ bytes: [UInt8]) {
      self.at = at
      self.bytes = bytes
    }
  }

  static let refused: [Refused] = [
    // Continuation bytes alone, and bytes that never occur.
    Refused(0, [0x80]), Refused(0, [0xBF]), Refused(0, [0xFE]), Refused(0, [0xFF]),
    // Sequences of five and six bytes.
    Refused(0, [0xF8, 0x88, 0x80, 0x80, 0x80]), Refused(0, [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]),
    // Overlong forms of "/", of NUL, and the largest of each length.
    Refused(0, [0xC0, 0xAF]), Refused(1, [0xE0, 0x80, 0xAF]), Refused(1, [0xF0, 0x80, 0x80, 0xAF]),
    Refused(0, [0xC0, 0x80]), Refused(0, [0xC1, 0xBF]), Refused(1, [0xE0, 0x9F, 0xBF]),
    Refused(1, [0xF0, 0x8F, 0xBF, 0xBF]),
    // Surrogates, alone and in pairs.
    Refused(1, [0xED, 0xA0, 0x80]), Refused(1, [0xED, 0xAF, 0xBF]), Refused(1, [0xED, 0xB0, 0x80]),
    Refused(1, [0xED, 0xBF, 0xBF]), Refused(1, [0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80]),
    // Beyond U+10FFFF.
    Refused(1, [0xF4, 0x90, 0x80, 0x80]), Refused(0, [0xF5, 0x80, 0x80, 0x80]), Refused(0, [0xF7, 0xBF]),
    // Sequences that are broken off by ASCII, by another one, by too many continuation bytes.
    Refused(1, [0xC3, 0x28]), Refused(1, [0xC3, 0xC3]), Refused(2, [0xC3, 0xA9, 0xA9]),
    Refused(1, [0xE2, 0x28, 0xA1]), Refused(2, [0xE2, 0x82, 0x28]), Refused(2, [0xE2, 0x82, 0xE2]),
    Refused(1, [0xF0, 0x28]), Refused(2, [0xF0, 0x90, 0x28]), Refused(3, [0xF0, 0x90, 0x8C, 0x28]),
    Refused(4, [0xF0, 0x90, 0x8C, 0xBC, 0xBC]), Refused(1, [0xE2, 0x00]), Refused(1, [0xC3, 0xFF]),
  ]

  @Test(arguments: refused) func failsAtTheVeryByte(_ test: Refused) {
    #expect(refusal(test.bytes) == test.at)
    for before in 0..<70 {
      let text = [UInt8](repeating: 0x61, count: before) + test.bytes + [UInt8](repeating: 0x7A, count: 40)
      #expect(refusal(text) == before + test.at)
      #expect(!isValid(text))
      // Up to the byte all is well.
      var validator = UTF8Validator()
      let isGood = text[..<(before + test.at)].withUnsafeBytes { validator.append($0) }
      #expect(isGood)
    }
  }

  @Test(arguments: [[0xC3], [0xE2], [0xE2, 0x82], [0xF0], [0xF0, 0x9F], [0xF0, 0x9F, 0x98]] as [[UInt8]])
  func isIncompleteInsideACharacter(_ bytes: [UInt8]) {
    var validator = UTF8Validator()
    let isGood = (Array("abc".utf8) + bytes).withUnsafeBytes { validator.append($0) }
    #expect(isGood && !validator.isComplete && !isValid(bytes))
  }

  @Test(arguments: 0..<80) func tellsWhetherAllIsASCII(count: Int) {
    var bytes = [UInt8](repeating: 0x7F, count: count)
    #expect(bytes.withUnsafeBytes { UTF8Validator.isASCII($0) })
    for index in bytes.indices {
      bytes[index] = 0x80
      #expect(bytes.withUnsafeBytes { !UTF8Validator.isASCII($0) })
      bytes[index] = 0x7F
    }
  }

  @Test func everySplitGivesTheSameAnswer() {
    let text = Array("a£€😀 Ελληνικά 世界 ASCII that is longer than a block of thirty-two bytes 😀".utf8)
    for first in 0...text.count {
      for second in first...text.count {
        var validator = UTF8Validator()
        let isGood = [text[..<first], text[first..<second], text[second...]].allSatisfy { piece in
          piece.withUnsafeBytes { validator.append($0) }
        }
        if !isGood || !validator.isComplete { Issue.record("cut at \(first) and \(second)") }
      }
    }
  }

  /// Every scalar, and every sequence of two bytes.
  @Test func agreesWithTheStandardLibraryOnAllShortTexts() {
    for number in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(number), let bytes = UTF8.encode(scalar) else { continue }
      if !isValid(Array(bytes)) { Issue.record("U+\(String(number, radix: 16))") }
    }
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max where isValid([first, second]) != standard([first, second]) {
        Issue.record("\(first), \(second)")
      }
    }
  }

  private func standard(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  /// Random texts with random changes, in random pieces.
  @Test func agreesWithTheStandardLibraryOnRandomTexts() {
    var random = SeededRandom(seed: 5)
    let sources = ["plain ASCII, ", "äöüß", "世界", "😀👍", "é", "\u{10FFFF}", "\u{D7FF}\u{E000}"].map {
      Array($0.utf8)
    }
    for round in 0..<20_000 {
      var text = (0...Int.random(in: 0...7, using: &random)).flatMap { _ in
        sources.randomElement(using: &random) ?? []
      }
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        text[Int.random(in: 0..<text.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        text.removeLast(Int.random(in: 0...min(3, text.count), using: &random))
      }
      let expected = standard(text)
      var validator = UTF8Validator()
      var rest = text[...]
      var isGood = true
      while isGood, !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...12, using: &random))
        rest = rest.dropFirst(piece.count)
        isGood = piece.withUnsafeBytes { validator.append($0) }
      }
      if isValid(text) != expected || (isGood && validator.isComplete) != expected {
        Issue.record("round \(round): \(text)")
      }
    }
  }
}
