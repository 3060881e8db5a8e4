import TestRandomness
import Testing

@testable import Realtime

@Suite struct ChannelAudienceTests {
  /// Compared with dictionaries that count the same.
  @Test(arguments: 0..<20)
  func countsAsDictionariesDo(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var audience = ChannelAudience()
    var members: [(loop: Int, spelling: Spelling)] = []
    for _ in 0..<400 {
      if random.below(5) < 3 || members.isEmpty {
        let spelling = Spelling(encoding: random.below(3), usesDelta: random.below(2) == 0)
        members.append((random.below(4), spelling))
        audience.add(loop: members[members.count - 1].loop, spelling: spelling)
      } else {
        let gone = members.remove(at: random.below(members.count))
        audience.remove(loop: gone.loop, spelling: gone.spelling)
      }
      var loops: [Int] = []
      audience.forEachLoop { loops.append($0) }
      #expect(loops.sorted() == Set(members.map(\.loop)).sorted())
      #expect(audience.count == members.count && audience.isEmpty == members.isEmpty)
      #expect(audience.usesDelta == members.contains { $0.spelling.usesDelta })
      for encoding in 0..<3 {
        for usesDelta in [false, true] {
          let spelling = Spelling(encoding: encoding, usesDelta: usesDelta)
          let isUsed = members.contains { $0.spelling.index == spelling.index }
          #expect(audience.uses(spelling) == isUsed)
        }
      }
    }
  }
}
