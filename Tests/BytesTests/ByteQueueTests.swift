import Bytes
import TestRandomness
import Testing

@Suite struct ByteQueueTests {
  @Test func whatGoesInComesOutInOrder() {
    var queue = ByteQueue()
    var expected: [UInt8] = []
    var generator = SeededRandom(seed: 7)
    var next: UInt8 = 0
    for _ in 0..<5_000 {
      let piece = (0..<Int.random(in: 0...90, using: &generator)).map { _ in
        next &+= 1
        return next
      }
      piece.withUnsafeBytes { queue.append($0) }
      expected += piece
      let gone = Int.random(in: 0...min(95, expected.count), using: &generator)
      queue.consume(gone)
      expected.removeFirst(gone)
      let count = queue.count
      #expect(count == expected.count)
      #expect(queue.isEmpty == expected.isEmpty)
      let isSame = queue.withUnsafeBytes { $0.elementsEqual(expected) }
      #expect(isSame)
    }
  }

  @Test func changesInPlaceStay() {
    var queue = ByteQueue()
    [1, 2, 3].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in queue.append(bytes) }
    queue.removeAll()
    #expect(queue.isEmpty == true)
    ([9, 8, 7] as [UInt8]).withUnsafeBytes { queue.append($0) }
    queue.withUnsafeMutableBytes { $0[1] = 0 }
    queue.consume(1)
    #expect(queue.withUnsafeBytes { Array($0) } == [0, 7])
  }

  @Test func anEmptyQueueLendsNothing() {
    var queue = ByteQueue()
    queue.consume(0)
    queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(queue.withUnsafeBytes { $0.baseAddress } == nil)
    ([1] as [UInt8]).withUnsafeBytes { queue.append($0) }
    queue.consume(1)
    #expect(queue.withUnsafeBytes { $0.baseAddress } == nil)
  }
}
