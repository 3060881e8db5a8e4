import Bytes
import CLinux
import Testing

@testable import EventLoops

/// What every driver over the kernel does with the bytes of connections.
@Suite struct DriverStreamTests {
  @Test(arguments: RealDriver.available, [1, 100, 4_095, 4_096, 20_000])
  func bytesArriveAsTheyWereWritten(kind: RealDriver, size: Int) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    var sent: [UInt8] = []
    for round in 0..<200 {
      let bytes = pattern(size, sent.count)
      sent += bytes
      a.send(bytes)
      // Sometimes several writes a turn.
      if round % 3 == 0 { streams.loop.turn() }
    }
    #expect(streams.turn { b.received.count >= sent.count })
    #expect(b.received == sent && a.errors == [])
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func whatIsCollectedLeavesWhenItIsSubmitted(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    streams.driver.submitWrites()
    a.send([1, 2, 3])
    #expect(streams.driver.unsettledByteCount(of: a.id) == (kind == .epoll ? 0 : 3))
    streams.driver.submitWrites()
    #expect(streams.driver.unsettledByteCount(of: a.id) == 0)
    #expect(streams.turn { b.received == [1, 2, 3] })
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func whatASlowReaderDoesNotTakeIsKeptInOrder(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    streams.driver.pauseReceiving(b.id)
    streams.polls(2)
    var total = 0
    var left = 200
    for size in [3_000, 1, 700, 4_000].cycled(20_000) where left > 0 {
      a.send(pattern(size, total))
      total += size
      if total % 3 == 0 { streams.polls(1) }
      // Some more when nothing more is taken.
      if !a.unsent.isEmpty { left -= 1 }
    }
    streams.polls(3)
    #expect(!a.unsent.isEmpty && b.received.isEmpty)
    if kind != .epoll { #expect(a.returns > 0) }
    streams.driver.resumeReceiving(b.id)
    #expect(streams.turn { b.received.count >= total })
    #expect(b.received == pattern(total))
    #expect(a.drains > 0 && a.unsent.isEmpty && a.errors == [])
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func pausesLoseNothing(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    b.onReceive = { [unowned b] in
      streams.driver.pauseReceiving(b.id)
      // Resumed in the same turn, in the next one, or some turns later.
      let turns = b.received.count % 3
      if turns == 0 { return streams.driver.resumeReceiving(b.id) }
      streams.loop.schedule(after: UInt64(turns)) { streams.driver.resumeReceiving(b.id) }
    }
    let sent = pattern(3 << 20)
    for start in stride(from: 0, to: sent.count, by: 3_001) {
      a.send(Array(sent[start..<min(sent.count, start + 3_001)]))
      streams.polls(1)
    }
    #expect(streams.turn { b.received.count >= sent.count })
    #expect(b.received == sent)
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func manyConnectionsAtOnceGetAllTheirBytes(kind: RealDriver) throws {
    // More at once than there are receive buffers.
    let streams = try Streams(kind)
    let pairs = try (0..<120).map { _ in try streams.pair() }
    let sent = pattern(40_000)
    for (a, _) in pairs { a.send(sent) }
    #expect(streams.turn { pairs.allSatisfy { $0.1.received.count >= sent.count } })
    #expect(pairs.allSatisfy { $0.1.received == sent })
    streams.close(pairs)
  }

  @Test(arguments: RealDriver.available)
  func sharedBytesReachEveryConnection(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let pairs = try (0..<40).map { _ in try streams.pair() }
    for size in [1, 200, 5_000, 20_000] {
      let bytes = pattern(size)
      do {
        let shared = SharedBytes.make(copying: bytes)
        for (a, _) in pairs { #expect(streams.driver.write(shared, to: a.id) == .wrote(size)) }
      }
      #expect(streams.turn { pairs.allSatisfy { $0.1.received.count >= size } })
      #expect(pairs.allSatisfy { $0.1.received == bytes })
      for (_, b) in pairs { b.received = [] }
    }
    streams.close(pairs)
  }

  @Test(arguments: RealDriver.available)
  func severalPiecesReachEveryConnection(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let pairs = try (0..<30).map { _ in try streams.pair() }
    // In one turn, from the same places: the same bytes for some, others of the same length for others.
    var (first, second) = (pattern(300), pattern(100))
    for (index, (a, _)) in pairs.enumerated() {
      second[99] = UInt8(index / 10)
      first.withUnsafeMutableBytes { first in
        second.withUnsafeMutableBytes { second in
          var pieces = [first, second].map { iovec(iov_base: $0.baseAddress, iov_len: $0.count) }
          pieces.withUnsafeMutableBufferPointer {
            #expect(streams.driver.write($0, to: a.id) == .wrote(400))
          }
        }
      }
    }
    #expect(streams.turn { pairs.allSatisfy { $0.1.received.count == 400 } })
    for (index, (_, b)) in pairs.enumerated() {
      #expect(b.received == first + second.dropLast() + [UInt8(index / 10)])
    }
    streams.close(pairs)
  }

  @Test(arguments: RealDriver.available)
  func moreAtOnceThanTheBuffersHoldArrives(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let pairs = try (0..<60).map { _ in try streams.pair() }
    let (piece, rounds) = (7_900, 5)
    for round in 0..<rounds {
      for (index, (a, _)) in pairs.enumerated() { a.send(pattern(piece, index + round * piece)) }
      #expect(streams.turn { pairs.allSatisfy { $0.1.received.count == (round + 1) * piece } })
    }
    for (index, (_, b)) in pairs.enumerated() {
      #expect(b.received == pattern(rounds * piece, index) && b.errors == [])
    }
    streams.close(pairs)
  }

  @Test(arguments: RealDriver.available, [true, false])
  func whatWasWrittenLeavesBeforeTheEnd(kind: RealDriver, closes: Bool) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    a.send(pattern(1_000))
    if closes { streams.driver.close(a.id, reset: false) } else { streams.driver.shutdownWrite(a.id) }
    #expect(streams.turn { b.ends > 0 || !b.errors.isEmpty })
    #expect(b.received == pattern(1_000) && b.ends == 1 && b.errors == [])
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func anEndDuringAPauseIsToldAfterIt(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    streams.driver.pauseReceiving(b.id)
    a.send(pattern(500))
    streams.driver.shutdownWrite(a.id)
    streams.polls(5)
    #expect(b.received == [] && b.ends == 0)
    streams.driver.resumeReceiving(b.id)
    #expect(streams.turn { b.ends > 0 })
    #expect(b.received == pattern(500) && b.ends == 1)
    streams.polls(3)
    #expect(b.ends == 1)
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func muchAtATimeAndThenLittleAndTheEnd(kind: RealDriver) throws {
    // A connection that brings much is read in another way, and again in the first when it brings little.
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    var total = 0
    for size in Array(repeating: 30_000, count: 20) + Array(repeating: 10, count: 200)
      + Array(repeating: 30_000, count: 20)
    {
      a.send(pattern(size, total))
      total += size
      #expect(streams.turn { b.received.count == total })
    }
    // Paused and resumed, then the last bytes and the end in one.
    streams.driver.pauseReceiving(b.id)
    a.send(pattern(30_000, total))
    streams.polls(3)
    #expect(b.received.count == total)
    total += 30_000
    streams.driver.resumeReceiving(b.id)
    #expect(streams.turn { b.received.count == total })
    a.send(pattern(30_000, total))
    total += 30_000
    streams.driver.shutdownWrite(a.id)
    #expect(streams.turn { b.ends > 0 })
    #expect(b.received == pattern(total) && b.ends == 1 && b.errors == [])
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available, [true, false])
  func aResetIsTold(kind: RealDriver, isPaused: Bool) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    if isPaused { streams.driver.pauseReceiving(b.id) }
    streams.polls(2)
    streams.driver.close(a.id, reset: true)
    #expect(streams.turn { !b.errors.isEmpty })
    #expect(b.errors == [ECONNRESET] && b.ends == 0)
    streams.close(b)
  }

  @Test(arguments: RealDriver.available)
  func writingToAConnectionThatIsBrokenFails(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    streams.driver.pauseReceiving(b.id)
    streams.driver.shutdownWrite(b.id)
    b.send([1])
    streams.polls(2)
    #expect(b.errors == [EPIPE])
    streams.close(a, b)
  }

  @Test(arguments: RealDriver.available)
  func aPortIsFreeWhenItsListenerIsClosed(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let (a, b) = try streams.pair()
    let address = try #require(streams.driver.localAddress(of: streams.listener))
    // The end that closes first keeps the port for a while; SO_REUSEADDR, which listeners have, goes by that.
    streams.close(a, b)
    let again = try streams.driver.listen(on: address, ListenSettings(backlog: 4), target: IOTarget())
    streams.driver.close(again, reset: false)
  }
}

extension Array {
  fileprivate func cycled(_ count: Int) -> [Element] { (0..<count).map { self[$0 % self.count] } }
}
