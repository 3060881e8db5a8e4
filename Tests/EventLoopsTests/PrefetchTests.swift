import Testing

@testable import EventLoops

/// What epoll reports for a crowd is looked up some sockets ahead.
@Suite struct PrefetchTests {
  private final class Log {
    var lines: [[Int]]
    init(_ count: Int) { lines = Array(repeating: [], count: count) }
  }

  private final class Target: IOTarget {
    static let received = 0
    let index: Int
    let log: Log
    var onReceive: (() -> Void)?

    init(_ index: Int, _ log: Log) { (self.index, self.log) = (index, log) }

    override func prefetch(depth: Int) { log.lines[index].append(depth) }
    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
      log.lines[index].append(Self.received)
      onReceive?()
    }
  }

  /// Sends to ten of so many connections at a time, and gives back what each of the ten heard.
  private func deliver(pairCount: Int, closing: Int? = nil) throws -> [[Int]] {
    let streams = try Streams(.epoll)
    let pairs = try (0..<pairCount).map { _ in try streams.pair() }
    // Up to eight are handed out without looking ahead.
    let log = Log(10)
    let targets = (0..<10).map { Target($0, log) }
    for (index, target) in targets.enumerated() { streams.driver.setTarget(target, of: pairs[index].1.id) }
    if let closing {
      targets[0].onReceive = { streams.driver.close(pairs[closing].1.id, reset: false) }
    }
    for (near, _) in pairs.prefix(10) { near.send([1]) }
    let expected = closing == nil ? 10 : 9
    #expect(streams.turn { log.lines.count { $0.last == Target.received } == expected })
    streams.close(pairs)
    return log.lines
  }

  // A pair takes two places, the listener one.

  @Test func aFewAreNot() throws {
    let heard = try deliver(pairCount: EpollDriver.crowdCount / 2 - 1)
    #expect(heard == Array(repeating: [Target.received], count: 10))
  }

  @Test func nearerObjectsComeFirst() throws {
    let heard = try deliver(pairCount: EpollDriver.crowdCount / 2)
    #expect(heard == [[0], [3, 0], [2, 3, 0]] + Array(repeating: [1, 2, 3, 0], count: 7))
  }

  @Test func oneThatIsClosedMeanwhileIsLeftOut() throws {
    let heard = try deliver(pairCount: EpollDriver.crowdCount / 2, closing: 2)
    #expect(heard[2] == [2] && heard[3] == [1, 2, 3, 0])
  }
}
