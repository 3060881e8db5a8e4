import Testing

@testable import Realtime

@Suite struct FIFOTests {
  /// Against an array, through many fillings and emptyings.
  @Test func behavesAsAnArray() {
    var queue = FIFO<Int>()
    var model: [Int] = []
    var random = SeededRandom(seed: 1)
    for step in 0..<20_000 {
      if random.below(100) < (step / 1_000 % 2 == 0 ? 60 : 40) {
        queue.append(step)
        model.append(step)
      } else {
        #expect(queue.removeFirst() == (model.isEmpty ? nil : model.removeFirst()))
      }
      #expect(queue.count == model.count && queue.first == model.first)
      if let last = model.last { #expect(queue[model.count - 1] == last) }
    }
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
