import CLinux
import EventLoops
import Testing

@testable import Transport

private let message = (0..<40).map { UInt8($0 + 1) }

@Suite struct ConnectionCloseTests {
  @Test func closeDeliversWhatIsQueued() throws {
    let house = try SimulatedConnection()
    house.socket.writePieceByteCount = 7
    house.connection.write(message)
    house.connection.close()
    house.connection.write([99])
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == message)
    #expect(house.peer.endReceived && house.handler.reason == nil)
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.handler.bytes.isEmpty)
    house.peer.end()
    house.network.runUntilIdle()
    #expect(house.handler.reason == .ended)
    #expect(house.handler.events == ["connected", "closed"])
  }

  @Test func aPeerThatDoesNotEndIsClosedAfterTheLinger() throws {
    let house = try SimulatedConnection()
    house.connection.close(lingerMilliseconds: 700)
    house.network.advance(milliseconds: 699)
    #expect(house.handler.reason == nil)
    house.network.advance(milliseconds: 1)
    #expect(house.handler.reason == .ended)
  }

  @Test func aPeerThatDoesNotReadIsClosedAfterTheLinger() throws {
    let house = try SimulatedConnection()
    house.socket.writeWindow = 3
    house.connection.write(message)
    house.connection.close()
    house.network.advance(milliseconds: Connection.defaultLingerMilliseconds)
    #expect(house.handler.reason == .lingerTimedOut)
    #expect(house.peer.error == ECONNRESET)
  }

  @Test func halfCloseLetsThePeerGoOn() throws {
    let house = try SimulatedConnection()
    house.connection.write(message)
    house.connection.finish()
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == message && house.peer.endReceived)
    house.peer.send([1, 2])
    house.network.runUntilIdle()
    #expect(house.handler.bytes == [1, 2])
    house.peer.end()
    house.network.runUntilIdle()
    #expect(house.handler.events == ["connected", "received", "closed"])
    #expect(house.handler.reason == .ended)
  }

  @Test func anAnswerAfterThePeersEndIsDelivered() throws {
    let house = try SimulatedConnection()
    house.handler.onEnd = { _ in }
    house.peer.send([1])
    house.peer.end()
    house.network.runUntilIdle()
    house.connection.write(message)
    house.network.runUntilIdle()
    #expect(house.peer.takeReceived() == message)
    house.connection.close()
    #expect(house.handler.reason == nil)
    house.network.runUntilIdle()
    #expect(house.handler.reason == .ended)
  }

  @Test func abortIsAReset() throws {
    let house = try SimulatedConnection()
    house.connection.write(message)
    house.connection.abort()
    house.connection.abort()
    house.connection.close()
    #expect(house.handler.reason == nil)
    house.network.runUntilIdle()
    #expect(house.handler.events == ["connected", "closed"])
    #expect(house.handler.reason == .aborted && house.connection.handler == nil)
    #expect(house.peer.error == ECONNRESET && house.peer.takeReceived() == [])
  }

  @Test func aResetIsReported() throws {
    let house = try SimulatedConnection()
    house.peer.reset()
    house.network.runUntilIdle()
    #expect(house.handler.events == ["connected", "closed"])
    #expect(house.handler.reason == .failed(errno: ECONNRESET))
  }

  @Test func aWriteThatFailsCloses() throws {
    let house = try SimulatedConnection()
    house.socket.nextWriteError = EPIPE
    house.connection.write(message)
    house.network.runUntilIdle()
    #expect(house.handler.reason == .failed(errno: EPIPE))
    #expect(house.handler.events == ["connected", "closed"])
  }

  @Test(arguments: [false, true])
  func closedInsideReceived(byAbort: Bool) throws {
    let house = try SimulatedConnection()
    house.socket.readPieceByteCount = 1
    house.handler.onReceived = { _, connection in
      connection.write([5])
      if byAbort { connection.abort() } else { connection.close() }
    }
    house.peer.send(message)
    house.network.runUntilIdle()
    #expect(house.handler.bytes.count == 1)
    #expect(house.peer.takeReceived() == (byAbort ? [] : [5]))
    house.peer.end()
    house.network.runUntilIdle()
    #expect(house.handler.events == ["connected", "received", "closed"])
  }

  @Test func abortedInsideConnectedDrainedAndClosed() throws {
    let handler = ScriptedHandler()
    handler.onConnected = { $0.abort() }
    handler.onClosed = {
      $0.abort()
      $0.write([1])
      $0.close()
    }
    let house = try SimulatedConnection(handler)
    house.network.runUntilIdle()
    #expect(handler.events == ["connected", "closed"])

    let second = try SimulatedConnection()
    second.handler.onDrained = { $0.abort() }
    second.socket.writePieceByteCount = 1
    second.connection.write([1, 2])
    second.network.runUntilIdle()
    #expect(second.handler.events == ["connected", "drained", "closed"])
  }

  @Test func aClosedConnectionIsFreed() throws {
    weak var connection: Connection?
    do {
      let house = try SimulatedConnection(echo())
      connection = house.connection
      house.peer.send(message)
      house.peer.end()
      house.network.runUntilIdle()
      #expect(house.handler.reason == .ended)
    }
    #expect(connection == nil)
  }
}
