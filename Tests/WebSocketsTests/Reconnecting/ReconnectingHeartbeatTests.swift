import EventLoops
import Testing
import Transport

@testable import WebSockets

@Suite struct ReconnectingHeartbeatTests {
  private let world = SimulatedReconnecting()

  private func open(interval: UInt64 = 1_000, deadline: UInt64 = 300) {
    var options = ReconnectingWebSocketOptions()
    options.heartbeatIntervalMilliseconds = interval
    options.heartbeatDeadlineMilliseconds = deadline
    world.make(options: options)
    world.open()
  }

  @Test func aPingThatIsNotAnsweredEndsTheConnection() {
    open()
    world.advance(999)
    #expect(world.peer?.frames().isEmpty == true)
    world.advance(1)
    #expect(world.peer?.frames().map(\.payload) == [[0, 0, 0, 0, 0, 0, 0, 1]])
    world.advance(299)
    #expect(world.state == .open)
    world.advance(1)
    #expect(world.takeEvents() == ["open", "error closedAbnormally", "close 1006", "attempt 2"])
    #expect(world.statistics?.heartbeatsMissed == 1)
    world.reopen()
    world.advance(1_000)
    #expect(world.peer?.frames().map(\.payload) == [[0, 0, 0, 0, 0, 0, 0, 2]])
  }

  @Test func anySignOfLifeWillDo() {
    open()
    for round in 0..<5 {
      world.advance(1_000)
      let ping = world.peer?.frames().first?.payload ?? []
      if round % 2 == 0 { world.peer?.send("alive") } else { world.peer?.send(0x8A, ping) }
      world.run()
    }
    world.advance(299)
    #expect(world.state == .open && world.statistics?.heartbeatsMissed == 0)
  }

  @Test func theRoundTripTimeIsMeasured() throws {
    open(interval: 1_000, deadline: 5_000)
    #expect(try world.read { $0.meter.time } == nil)
    var smoothed = 80.0
    for (round, time) in ([80, 160, 0] as [UInt64]).enumerated() {
      world.advance(round == 0 ? 1_000 : 1_000 - [80, 160, 0][round - 1])
      let ping = world.peer?.frames().first?.payload ?? []
      world.advance(time)
      world.peer?.send(0x8A, ping)
      world.run()
      smoothed += (Double(time) - smoothed) / 8
      #expect(
        try world.read { $0.meter.time }
          == RoundTripTime(lastMilliseconds: time, smoothedMilliseconds: smoothed))
    }
  }

  /// A late pong is matched with its own ping, and answers those before.
  @Test func aLatePong() throws {
    open(interval: 1_000, deadline: 5_000)
    world.advance(3_000)
    let pings = world.peer?.frames().map(\.payload) ?? []
    #expect(pings.count == 3)
    world.advance(500)
    world.peer?.send(0x8A, pings[1])
    world.run()
    #expect(try world.read { $0.meter.time?.lastMilliseconds } == 1_500)
    // The first was answered by the second's pong, and nobody asked for the others.
    for payload in [pings[0], [], [1, 2, 3], [9, 9, 9, 9, 9, 9, 9, 9]] { world.peer?.send(0x8A, payload) }
    world.run()
    #expect(try world.read { $0.meter.time?.lastMilliseconds } == 1_500)
    world.peer?.send(0x8A, pings[2])
    world.run()
    #expect(try world.read { $0.meter.time?.lastMilliseconds } == 500)
  }

  @Test func pingsThatAreRememberedAreFew() {
    var meter = RoundTripMeter()
    let numbers = (0..<17).map { meter.ping(now: UInt64($0)) }
    for (number, isKnown) in [(numbers[0], false), (numbers[1], true)] {
      withUnsafeBytes(of: number.bigEndian) { meter.pong($0, now: 100) }
      #expect((meter.time != nil) == isKnown)
    }
  }

  @Test func withoutHeartbeatTheConnectionsOwnKeepaliveStays() {
    open(interval: 0)
    world.advance(25_000)
    #expect(world.peer?.frames().map(\.payload) == [[]])
    world.advance(8_000)
    #expect(world.events.contains("close 1006"))
  }

  @Test func whomWeHoldBackIsNotTakenForDead() throws {
    var options = ReconnectingWebSocketOptions()
    options.connection.socket.limits.maximumMessageBytes = 100
    world.make(options: options, takesMessages: false)
    world.open()
    for _ in 0..<5 { world.peer?.send(String(repeating: "x", count: 100)) }
    world.advance(200_000)
    #expect(world.state == .open)
  }
}
