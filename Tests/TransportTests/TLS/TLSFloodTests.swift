import EventLoops
import Testing

@testable import Transport

/// Handshakes beside other work.
@Suite struct TLSFloodTests {
  /// Other connections, of which one takes time in each turn and one, which comes later in it, looks.
  private func isPutOff(spending milliseconds: UInt64) throws -> Bool {
    let house = try TLSHouse()
    let (network, loop) = (house.network, house.loop)
    let (slow, looking) = (ScriptedHandler(), ScriptedHandler())
    nonisolated(unsafe) var handlers = [slow, looking]
    let listener = try LoopListener.start(loop, .loopback(port: 80)) { _ in handlers.removeFirst() }.get()
    listener.resume()
    let first = try #require(network.connect(to: .loopback(port: 80)))
    network.runUntilIdle()
    house.start(try TLSClientContext(TLSClientOptions(verification: .authorities(file: Authority.file))))
    let last = try #require(network.connect(to: .loopback(port: 80)))
    loop.turn()
    var hasClientHello = false
    var wasHeld = false
    // The network holds the handlers.
    defer { (slow.onReceived, looking.onReceived) = (nil, nil) }
    slow.onReceived = { _, _ in network.spend(milliseconds: milliseconds) }
    // By now the server has read its part, and has answered or not.
    looking.onReceived = { _, _ in
      wasHeld = wasHeld || hasClientHello && house.socket?.inbox.isEmpty == true
    }
    for turn in 0..<10 {
      hasClientHello = turn == 0 && house.socket?.other?.inbox.isEmpty == false
      #expect(hasClientHello == (turn == 0))
      first.send([1])
      last.send([1])
      loop.turn()
    }
    #expect(looking.bytes.count == 10 && slow.bytes.count == 10)
    #expect(house.error == nil && house.serverConnection?.isSecure == true)
    // What comes then is read as ever.
    house.connection?.write([1, 2, 3])
    network.runUntilIdle()
    #expect(house.server.bytes == [1, 2, 3])
    return wasHeld
  }

  @Test func aHandshakeWaitsForTheEndOfALongTurn() throws {
    #expect(try isPutOff(spending: 3))
  }

  @Test func aHandshakeDoesNotWaitInAShortTurn() throws {
    #expect(try !isPutOff(spending: 1))
  }
}
