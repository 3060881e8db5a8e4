import Testing

@testable import WebSocketCore

/// Text that is not UTF-8 is refused at the first byte that cannot be part of any (RFC 6455 §8.1).
@Suite struct TextValidationTests {
  struct Case: CustomTestStringConvertible {
    /// A text whose last byte is the first wrong one.
    let bytes: [UInt8]
    var testDescription: String { bytes.map { String($0, radix: 16) }.joined(separator: " ") }
  }

  static let cases: [Case] = [
    [0x80], [0xBF], [0xC0], [0xC1], [0xF5], [0xF8], [0xFC], [0xFE], [0xFF], [0x61, 0x80], [0xC3, 0xA9, 0x80],
    [0xC3, 0x28], [0xC3, 0xC3], [0xC3, 0xFF], [0xE0, 0x80], [0xE0, 0x9F], [0xE2, 0x28], [0xE2, 0x82, 0x28],
    [0xE2, 0x82, 0xE2], [0xED, 0xA0], [0xED, 0xBF], [0xF0, 0x80], [0xF0, 0x8F], [0xF0, 0x90, 0x28],
    [0xF0, 0x90, 0x8C, 0x28], [0xF0, 0x90, 0x8C, 0xBC, 0xBC], [0xF4, 0x90], [0xF4, 0xBF], [0xF1, 0xC0],
    // The examples of the Autobahn test suite, section 6.
    [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0],
    [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xF4, 0x90],
  ].map { Case(bytes: $0) }

  @Test(arguments: cases) func failsAtTheVeryByte(_ test: Case) {
    let text = Array("Ελληνικά ".utf8) + test.bytes
    let rest = [UInt8](repeating: 0x20, count: 120)
    for delivery in [MessageDelivery.whole, .fragments] {
      // In one frame that has 120 more bytes to come; the header has 8.
      let one = Decoded(Wire.masked(0x81, text + rest), pieces: [1], delivery: delivery)
      #expect(one.violation == .badText && one.fed == 8 + text.count)
      // Cut into two fragments anywhere, with a ping between them; small headers have 6 bytes each.
      for cut in 0..<text.count {
        let stream =
          Wire.masked(0x01, Array(text[..<cut])) + Wire.masked(0x89)
          + Wire.masked(0x80, Array(text[cut...]) + rest.prefix(40))
        let two = Decoded(stream, pieces: [1], delivery: delivery)
        #expect(two.violation == .badText && two.fed == 6 * 3 + text.count && two.events == [.ping([])])
        #expect(Decoded(stream, delivery: delivery).violation == .badText)
        #expect(Decoded(stream, pieces: [3], delivery: delivery).violation == .badText)
      }
    }
  }

  @Test(arguments: [[0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0x61, 0xF0]] as [[UInt8]])
  func mustNotEndInsideACharacter(_ tail: [UInt8]) {
    for delivery in [MessageDelivery.whole, .fragments] {
      for pieces in [[Int.max], [1], [2]] {
        let whole = Decoded(Wire.masked(0x81, tail), pieces: pieces, delivery: delivery)
        #expect(whole.violation == .badText)
        // The final fragment may be empty; it is still the end.
        let late = Decoded(Wire.masked(0x01, tail) + Wire.masked(0x80), pieces: pieces, delivery: delivery)
        #expect(late.violation == .badText)
        // Without the end nothing is wrong yet.
        #expect(Decoded(Wire.masked(0x01, tail), pieces: pieces, delivery: delivery).violation == nil)
      }
    }
  }

  /// A new message starts at the start of a character again, whatever the last one was.
  @Test func binaryIsNotLookedAt() {
    let stream = Wire.masked(0x02, [0xFF, 0xC3]) + Wire.masked(0x80, [0xFE]) + Wire.masked(0x81, "ok")
    #expect(Decoded(stream, pieces: [1]).events == [.binary([0xFF, 0xC3, 0xFE]), .text("ok")])
  }

  @Test func pingsAreNotLookedAt() {
    #expect(Decoded(Wire.masked(0x89, [0xFF])).events == [.ping([0xFF])])
  }
}
