import Bytes
import CLinux
import EventLoops
import TestRandomness
import Testing

@testable import Transport

private let message = (0..<40).map { UInt8($0 + 1) }

private func shared(_ bytes: [UInt8]) -> SharedBytes { SharedBytes.make(copying: bytes) }

@Suite struct ConnectionTests {
  @Test(arguments: 0...40)
  func echoAtEveryReadSplit(split: Int) throws {
    let house = try SimulatedConnection(echo())
    house.socket.readSizes = [split, message.count - split].filter { $0 > 0 }
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == message)
    #expect(house.handler.bytes == message)
  }

  @Test(arguments: 0...40, [1, 3, 1000])
  func echoAtEveryWriteSplit(split: Int, piece: Int) throws {
    let house = try SimulatedConnection(echo())
    house.socket.readPieceByteCount = piece
    house.socket.writeSizes = [split, 0, 1, 0]
    house.socket.writePieceByteCount = 7
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == message)
    #expect(house.connection.queuedByteCount == 0 && house.connection.outbound == nil)
  }

  @Test(arguments: [1, 100, 255, 256, 257, 1_000, 64 * 1024, 200_000])
  func writesOfAllKindsKeepTheirOrder(piece: Int) throws {
    let house = try SimulatedConnection()
    house.socket.writePieceByteCount = max(piece, 50)
    house.socket.writeSizes = [piece, piece, piece]
    house.connection.maximumQueuedBytes = 1 << 22
    var expected: [UInt8] = []
    for (index, size) in [3, 300, 5, 70_000, 1, 1, 100_000, 256, 257, 9].enumerated() {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &+ index) }
      if index % 2 == 1 { house.connection.write(shared(bytes)) } else { house.connection.write(bytes) }
      expected += bytes
      if index == 5 { house.network.runUntilIdle() }
    }
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == expected)
  }

  @Test func allWritesOfATurnAreOneSystemCall() throws {
    let house = try SimulatedConnection()
    house.handler.onReceived = { _, connection in
      for byte in 0..<100 as Range<UInt8> { connection.write([byte]) }
    }
    house.peer.send([1])
    house.network.runUntilIdle()
    #expect(house.socket.writes == [100])
    for index in 0..<50 {
      house.connection.write(shared(Array(repeating: 1, count: 300)))
      if index % 2 == 0 { house.connection.write([2]) }
    }
    #expect(house.socket.writes == [100])
    house.network.runUntilIdle()
    #expect(house.socket.writes == [100, 50 * 300 + 25])
  }

  @Test func anIdleConnectionOwnsNoBuffer() throws {
    let house = try SimulatedConnection(echo())
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.connection.outbound == nil && house.connection.lone == nil)
    // A reference alone needs no queue at all.
    house.connection.write(shared(message))
    #expect(house.connection.outbound == nil)
    house.network.runUntilIdle()
    #expect(house.connection.lone == nil)
  }

  @Test(arguments: [false, true], [999, 1_000, 1_001])
  func theQueuesLimit(isShared: Bool, total: Int) throws {
    let house = try SimulatedConnection()
    house.connection.maximumQueuedBytes = 1_000
    house.socket.writeWindow = 0
    house.connection.write([1])
    house.network.runUntilIdle()
    let rest = Array(repeating: 2 as UInt8, count: total - 1)
    if isShared { house.connection.write(shared(rest)) } else { house.connection.write(rest) }
    if total <= 1_000 {
      #expect(house.connection.queuedByteCount == total)
      house.network.runUntilIdle()
      #expect(house.handler.events == ["connected"])
      house.socket.writeWindow = nil
      house.network.runUntilIdle()
      #expect(house.peer.takeReceived() == [1] + rest)
      #expect(house.handler.events == ["connected", "drained"])
    } else {
      #expect(house.connection.isClosed && house.connection.queuedByteCount == 0)
      #expect(house.handler.reason == nil)
      house.connection.write([3])
      house.network.runUntilIdle()
      #expect(house.handler.reason == .outboundQueueOverflow)
      #expect(house.peer.error == ECONNRESET)
      #expect(house.connection.flushedByteCount == 0, "what was lost has not left")
    }
  }

  @Test func moreThanTheLimitIsFineWhenTheKernelTakesIt() throws {
    let house = try SimulatedConnection()
    house.connection.maximumQueuedBytes = 1_000
    for _ in 0..<10 { house.connection.write(Array(repeating: 1, count: 900)) }
    house.connection.write(shared(Array(repeating: 1, count: 5_000)))
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived().count == 14_000)
    #expect(house.handler.events == ["connected"])
  }

  @Test func drainedIsToldOnceAfterBackpressure() throws {
    let house = try SimulatedConnection()
    house.socket.writePieceByteCount = 10
    house.connection.write(Array(repeating: 1, count: 95))
    house.network.runUntilIdle()
    #expect(house.handler.events == ["connected", "drained"])
    #expect(house.socket.writes.count == 10)
    #expect(!house.connection.isBlocked)
  }

  @Test func pausedReadingHoldsBytesBack() throws {
    let house = try SimulatedConnection()
    house.socket.readPieceByteCount = 4
    house.handler.onReceived = { _, connection in connection.pauseReading() }
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.handler.bytes.count == 4)
    house.connection.resumeReading()
    house.network.runUntilIdle()
    #expect(house.handler.bytes.count == 8)
    house.handler.onReceived = nil
    house.connection.resumeReading()
    house.peer.end()
    house.network.runUntilIdle()
    #expect(house.handler.bytes == message)
    #expect(house.handler.events == ["connected", "received", "end", "closed"])
  }

  @Test func pausedInsideConnectedReadsNothing() throws {
    let handler = ScriptedHandler()
    handler.onConnected = { $0.pauseReading() }
    let house = try SimulatedConnection(handler)
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.handler.bytes.isEmpty)
    house.connection.resumeReading()
    house.network.runUntilIdle()
    #expect(house.handler.bytes == message)
  }

  @Test func aHandlerMayBeReplacedInsideReceived() throws {
    let house = try SimulatedConnection()
    let second = ScriptedHandler()
    house.socket.readPieceByteCount = 20
    house.handler.onReceived = { _, connection in connection.handler = second }
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.handler.bytes == Array(message[..<20]) && second.bytes == Array(message[20...]))
    house.peer.end()
    house.network.runUntilIdle()
    #expect(house.handler.reason == nil && second.reason == .ended)
  }

  @Test func aConnectionIsOneSmallObject() throws {
    let house = try SimulatedConnection()
    let size = clinux_allocation_size(Unmanaged.passUnretained(house.connection).toOpaque())
    #expect(size <= 160)
  }

  @Test(arguments: 1...5)
  func randomWritesOnARandomNetwork(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let house = try SimulatedConnection()
    house.connection.maximumQueuedBytes = 1 << 24
    var expected: [UInt8] = []
    for step in 0..<150 {
      let size = Int.random(in: 1...(1 << Int.random(in: 0...17, using: &random)), using: &random)
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ step) }
      expected += bytes
      if Bool.random(using: &random) {
        house.connection.write(SharedBytes.make(copying: bytes))
      } else {
        house.connection.write(bytes)
      }
      if Int.random(in: 0...3, using: &random) == 0 {
        let (first, second) = (
          Int.random(in: 0...2_000, using: &random), Int.random(in: 0...90_000, using: &random)
        )
        house.socket.writeSizes = [first, second]
        house.socket.writeWindow =
          Bool.random(using: &random) ? Int.random(in: 0...300_000, using: &random) : nil
        house.network.runUntilIdle()
      }
      let counted = house.connection.queuedByteCount + house.peer.inbox.count
      guard counted == expected.count else {
        Issue.record("\(counted) bytes instead of \(expected.count)")
        return
      }
    }
    house.socket.writeWindow = nil
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == expected)
    #expect(house.connection.outbound == nil && house.connection.lone == nil)
  }
}
