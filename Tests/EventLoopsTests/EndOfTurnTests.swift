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

  /// The clock is read for every fourth: a turn lasts for four milliseconds, and those it has no time for get two more.
  @Test func aTurnWritesForSomeMillisecondsAndTheNextOnesGoOn() {
    ask(0..<20, milliseconds: 1)
    loop.turn()
    #expect(record.numbers == Array(0..<8))
    #expect(loop.isReadyNow, "the loop must not wait for anything now")
    for turns in 1...3 {
      loop.turn()
      #expect(record.numbers == Array(0..<8 + turns * 4))
    }
    #expect(!loop.isReadyNow)
  }

  /// 16 in the first three milliseconds; then each is looked at.
  @Test func whereTheClockMovesItIsReadForEach() {
    for number in 0..<40 {
      loop.atEndOfTurn(
        Writer(number, record) { [weak network] in
          if number == 11 { network?.spend(milliseconds: 3) }
          if number >= 12 { network?.spend(milliseconds: 1) }
        })
    }
    loop.turn()
    #expect(record.numbers == Array(0..<13 + 4), "13 in four milliseconds, and 4 of those that wait")
  }

  /// A driver that collects them is told to for every 128th, and what that takes is known at once.
  @Test(arguments: [127, 128, 129, 255, 256, 257])
  func collectedWritesAreSubmittedInPieces(count: Int) throws {
    var submissions: [Int] = []
    let driver = try #require(loop.driver as? SimulatedDriver)
    driver.onSubmitWrites = { [record] in submissions.append(record.numbers.count) }
    ask(0..<count)
    loop.turn()
    #expect(submissions == [128, 256].filter { $0 <= count })
  }

  @Test(arguments: [false, true])
  func collectedWritesCountAsTheyAreSubmitted(isCrowd: Bool) throws {
    let driver = try #require(loop.driver as? SimulatedDriver)
    driver.onSubmitWrites = { [weak network] in network?.spend(milliseconds: 1) }
    if isCrowd { loop.forCrowd { ask(0..<2_000) } } else { ask(0..<2_000) }
    for deliveries in isCrowd ? [256, 512, 768] : [512 + 256, 1_024, 1_280] {
      loop.turn()
      #expect(record.numbers == Array(0..<deliveries))
    }
  }

  @Test func whatTheTurnHasDoneBeforeCounts() {
    nonisolated(unsafe) let network = network
    loop.execute { network.spend(milliseconds: 4) }
    ask(0..<100)
    loop.turn()
    // Four at the least, and then the others, which take no time, as those that wait.
    #expect(record.numbers == Array(0..<100))
    loop.execute { network.spend(milliseconds: 4) }
    ask(100..<120, milliseconds: 1)
    loop.turn()
    #expect(record.numbers == Array(0..<108))
  }

  @Test func whatComesMeanwhileIsWrittenBeforeThoseThatWait() {
    ask(0..<100, milliseconds: 1)
    loop.turn()
    ask(1_000..<1_001)
    loop.turn()
    #expect(record.numbers == Array(0..<8) + [1_000] + Array(8..<12))
  }

  @Test func whatComesMeanwhileDoesNotStarveThoseThatWait() {
    ask(0..<300, milliseconds: 1)
    loop.turn()
    for turn in 1...4 {
      ask(turn * 1_000..<turn * 1_000 + 100, milliseconds: 1)
      loop.turn()
      #expect(record.numbers.count { $0 < 300 } == 8 + turn * 4)
    }
  }

  /// Who is alone goes first, also where the crowd asked before; the crowd gets two milliseconds of each turn.
  @Test func aCrowdWaitsBehindTheOthers() {
    loop.forCrowd { ask(0..<12, milliseconds: 1) }
    ask(100..<102)
    loop.turn()
    #expect(record.numbers == [100, 101] + Array(0..<4))
    loop.forCrowd {
      loop.forCrowd {}
      ask(12..<13)
    }
    ask(102..<103)
    loop.turn()
    #expect(record.numbers == [100, 101] + Array(0..<4) + [102] + Array(4..<8))
    network.runUntilIdle()
    #expect(record.numbers.suffix(5) == Array(8..<13))
  }

  /// Otherwise it would grow for as long as the list is never empty.
  @Test func theListOfThoseThatWaitForgetsThoseThatHadTheirTurn() {
    for turn in 0..<4_000 {
      loop.forCrowd { ask(turn * 4..<turn * 4 + 4, milliseconds: 1) }
      if turn == 0 { loop.forCrowd { ask(100_000..<100_100, milliseconds: 1) } }
      loop.turn()
      #expect(loop.isReadyNow && loop.deferred.count <= 2_200)
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

  /// However many they are, and however long they take.
  @Test func thoseThatWaitAreCalledBeforeTheLoopEnds() {
    let record = record
    do {
      let network = SimulatedNetwork()
      let loop = network.makeLoop()
      for number in 0..<20_000 {
        loop.atEndOfTurn(Writer(number, record) { [weak network] in network?.spend(milliseconds: 1) })
      }
      loop.turn()
      #expect(record.numbers.count == 8)
    }
    #expect(record.numbers == Array(0..<20_000))
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
