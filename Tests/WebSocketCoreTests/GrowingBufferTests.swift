import Testing

@testable import WebSocketCore

@Suite struct GrowingBufferTests {
  /// A gigabyte that was announced costs what has arrived, and at most as much again.
  @Test func growsWithWhatArrives() {
    var buffer = GrowingBuffer()
    var expected: [UInt8] = []
    for round in 0..<200 {
      let piece = [UInt8](repeating: UInt8(round), count: round)
      piece.withUnsafeBytes { buffer.append($0, announced: 1 << 30) }
      expected += piece
      let capacity = buffer.capacity
      #expect(capacity >= expected.count && capacity <= max(expected.count * 2, piece.count))
    }
    let isSame = buffer.bytes.elementsEqual(expected)
    #expect(isSame)
  }

  /// Where the end is known, nothing is owned beyond it.
  @Test func stopsAtWhatWasAnnounced() {
    var buffer = GrowingBuffer()
    for _ in 0..<100 {
      [UInt8](repeating: 1, count: 10).withUnsafeBytes { buffer.append($0, announced: 1_000) }
    }
    let (count, capacity) = (buffer.bytes.count, buffer.capacity)
    #expect(count == 1_000 && capacity == 1_000)
  }

  @Test func ownsNothingWhileEmpty() {
    var buffer = GrowingBuffer()
    buffer.append(UnsafeRawBufferPointer(start: nil, count: 0), announced: 1 << 30)
    let (count, capacity) = (buffer.bytes.count, buffer.capacity)
    #expect(count == 0 && capacity == 0)
  }

  @Test func copyingReplaces() {
    var buffer = GrowingBuffer()
    buffer.copy([1, 2, 3])
    buffer.copy([4])
    let bytes = Array(buffer.bytes)
    #expect(bytes == [4])
  }

  /// What is emptied keeps memory worth keeping, and no more.
  @Test func emptyingGivesUpLargeMemory() {
    var buffer = GrowingBuffer()
    buffer.copy([UInt8](repeating: 1, count: 100))
    buffer.empty(keeping: 100)
    let (count, kept) = (buffer.count, buffer.capacity)
    #expect(count == 0 && kept == 100)
    buffer.copy([UInt8](repeating: 1, count: 101))
    buffer.empty(keeping: 100)
    let (emptied, capacity) = (buffer.count, buffer.capacity)
    #expect(emptied == 0 && capacity == 0)
    buffer.copy([2])
    let bytes = Array(buffer.bytes)
    #expect(bytes == [2])
  }
}
