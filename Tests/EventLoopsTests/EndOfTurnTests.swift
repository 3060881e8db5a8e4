import Testing

@testable import EventLoops

/// Writing to many connections is spread over turns.
@Suite struct EndOfTurnTests {
  private let network = SimulatedNetwork()
  private let loop: EventLoop
  private let record = Record()

  init() { loop = network.makeLoop() }

  private func ask(_ numbers: Range<Int>, milliseconds: UInt64 = 0) {
    for number in numbers {
      loop.atEndOfTurn(
        Writer(number, record) { [weak network] in network?.spend(milliseconds: milliseconds) })
    }
  }

  @Test func whatTakesNoTimeIsWrittenInOneTurn() {
    ask(0..<10_000)
    loop.turn()
    #expect(record.numbers == Array(0..<10_000))
    #expect(!loop.isReadyNow)
  }

  /// The clock is read for every fourth: first for when it began, then until four milliseconds are over.
  @Test func aTurnWritesForFourMillisecondsAndTheNextOnesGoOn() {
    ask(0..<50, milliseconds: 1)
    loop.turn()
    #expect(record.numbers == Array(0..<8))
    #expect(loop.isReadyNow, "the loop must not wait for anything now")
    loop.turn()
    #expect(record.numbers == Array(0..<24), "at least 16 of those that waited")
    loop.turn()
    loop.turn()
    #expect(record.numbers == Array(0..<50))
    #expect(!loop.isReadyNow)
  }

  @Test func whatComesMeanwhileIsWrittenBeforeThoseThatWait() {
    ask(0..<100, milliseconds: 1)
    loop.turn()
    ask(1_000..<1_001)
    loop.turn()
    #expect(record.numbers == Array(0..<8) + [1_000] + Array(8..<24))
  }

  @Test func whatComesMeanwhileDoesNotStarveThoseThatWait() {
    ask(0..<300, milliseconds: 1)
    loop.turn()
    for turn in 1...4 {
      ask(turn * 1_000..<turn * 1_000 + 100, milliseconds: 1)
      loop.turn()
      #expect(record.numbers.count { $0 < 300 } == 8 + turn * 16)
    }
  }

  /// Each is called once for each time that it asked, in the order of asking.
  @Test func nobodyIsForgottenOrCalledTwice() {
    for turn in 0..<20 {
      ask(turn * 100..<(turn + 1) * 100, milliseconds: turn.isMultiple(of: 3) ? 1 : 0)
      loop.turn()
    }
    network.runUntilIdle()
    #expect(record.numbers.sorted() == Array(0..<2_000))
  }

  @Test func thoseThatWaitAreCalledBeforeTheLoopEnds() {
    let record = record
    do {
      let network = SimulatedNetwork()
      let loop = network.makeLoop()
      for number in 0..<200 {
        loop.atEndOfTurn(Writer(number, record) { [weak network] in network?.spend(milliseconds: 1) })
      }
      loop.turn()
      #expect(record.numbers.count == 8)
    }
    #expect(record.numbers == Array(0..<200))
  }
}

private final class Record: @unchecked Sendable {
  var numbers: [Int] = []
}

private final class Writer: EndOfTurnTarget {
  private let number: Int
  private let record: Record
  private let work: () -> Void

  init(_ number: Int, _ record: Record, _ work: @escaping () -> Void) {
    (self.number, self.record, self.work) = (number, record, work)
  }

  func endOfTurn() {
    record.numbers.append(number)
    work()
  }
}
