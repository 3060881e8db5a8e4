import TestDeltas
import TestRandomness
import Testing

@testable import Bytes

@Suite struct FossilDeltaTests {
  private func delta(_ source: [UInt8], _ target: [UInt8]) -> [UInt8]? {
    source.withUnsafeBytes { source in target.withUnsafeBytes { FossilDelta.encode(from: source, to: $0) } }
  }

  private func delta(_ source: String, _ target: String) -> String? {
    delta(Array(source.utf8), Array(target.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func exactBytes() {
    let source = "The quick brown fox jumps over the lazy dog"
    // 46 bytes; copy 40 from 0; insert 6; the checksum.
    let target = "The quick brown fox jumps over the lazy cat!!!"
    #expect(delta(source, target) == "j\nd@0,6:cat!!!2OJn8x;")
    #expect(delta(source, source) == "g\ng@0,1tF1KR;")
  }

  @Test func nothingToGain() {
    #expect(delta("short", "short") == nil)
    #expect(delta("", "anything at all, of some length") == nil)
    #expect(delta("something that has some length", "") == nil)
    #expect(delta("0123456789abcdefghijklmnop", "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == nil)
    let large = [UInt8](repeating: 7, count: FossilDelta.maximumBytes)
    #expect(delta(large, large) != nil)
    #expect(delta(large + [7], large) == nil && delta(large, large + [7]) == nil)
  }

  @Test(arguments: 0..<40)
  func whatIsEncodedIsDecoded(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<50 {
      let source = seed % 2 == 0 ? text(&random) : random.bytes(random.below(2_000))
      let target = edited(source, &random)
      guard let delta = delta(source, target) else { continue }
      #expect(delta.count < target.count)
      #expect(FossilReader.apply(delta, to: source) == target)
      if String(validating: source, as: UTF8.self) != nil, String(validating: target, as: UTF8.self) != nil {
        #expect(String(validating: delta, as: UTF8.self) != nil)
      }
    }
  }

  /// What is repetitive has the most blocks that look alike.
  @Test func workIsBounded() {
    let source = [UInt8](repeating: 1, count: 1 << 18)
    var target = source
    for index in stride(from: 0, to: target.count, by: 40) { target[index] = 2 }
    let made = delta(source, target)
    #expect(made.flatMap { FossilReader.apply($0, to: source) } ?? target == target)
  }

  private func text(_ random: inout SeededRandom) -> [UInt8] {
    let words = ["\"price\":", "ünïcödé", "🐦", "1234", "{", "}", "日本", ",", "long enough to be found again"]
    var text = ""
    for _ in 0..<random.below(120) { text += words[random.below(words.count)] }
    return Array(text.utf8)
  }

  private func edited(_ source: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var characters = String(validating: source, as: UTF8.self).map {
      $0.unicodeScalars.map { Array(String($0).utf8) }
    }
    if characters == nil { characters = source.map { [$0] } }
    var pieces = characters ?? []
    for _ in 0..<random.below(6) {
      let place = random.below(pieces.count + 1)
      switch random.below(3) {
      case 0: pieces.insert(Array("é\(random.below(1_000))".utf8), at: place)
      case 1: pieces.removeSubrange(place..<min(pieces.count, place + random.below(30)))
      default: pieces = Array(pieces[place...] + pieces[..<place])
      }
    }
    return pieces.flatMap { $0 }
  }
}
