import TestRandomness
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
