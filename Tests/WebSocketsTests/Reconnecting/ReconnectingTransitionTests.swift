import CLinux
import EventLoops
import Testing
import Transport

@testable import WebSockets

/// From state to state, with virtual time.
@Suite struct ReconnectingTransitionTests {
  private let world = SimulatedReconnecting()

  private func make(_ change: (inout ReconnectingWebSocketOptions) -> Void = { _ in }) {
    var options = ReconnectingWebSocketOptions()
    change(&options)
    world.make(options: options)
  }

  @Test func fromIdleToOpenToClosed() {
    make()
    #expect(world.state == .idle && world.isAtRest)
    world.socket?.start()
    world.socket?.start()
    world.run()
    #expect(world.state == .connecting && world.peers.count == 1)
    world.peer?.accept()
    world.run()
    #expect(world.state == .open)
    world.peer?.send("hello")
    world.run()
    world.task("close") { await $0.close(code: CloseCode(rawValue: 4001), reason: "bye") }
    #expect(world.state == .closing)
    let frames = world.peer?.frames() ?? []
    #expect(frames.map(\.opcode) == [8] && frames.first?.payload == [0x0F, 0xA1] + Array("bye".utf8))
    world.peer?.close(4001)
    world.run()
    #expect(world.state == .closed && world.isAtRest)
    #expect(world.events == ["open", "message hello", "close 4001 final"])
    #expect(world.notes == ["close done"])
  }

  @Test func aLostConnectionIsReplaced() {
    make()
    world.open()
    world.advance(100)
    world.peer?.socket.reset()
    world.run()
    #expect(world.takeEvents() == ["open", "error closedAbnormally", "close 1006", "attempt 2"])
    let delay = world.delays[0]
    #expect(delay < 500)
    #expect(world.state == .waiting(untilMilliseconds: world.network.now + delay))
    if delay > 0 {
      world.advance(delay - 1)
      #expect(world.peers.count == 1)
      world.advance(1)
    }
    #expect(world.state == .connecting && world.peers.count == 2)
    world.peer?.accept()
    world.run()
    #expect(world.state == .open && world.takeEvents() == ["open"])
    world.peer?.send("again")
    world.run()
    #expect(world.events == ["message again"] && world.statistics?.connections == 2)
  }

  @Test func refusalsAreRetriedWithGrowingDelays() {
    make()
    world.refuse()
    world.socket?.start()
    world.advance(600_000)
    #expect(world.delays.count > 30 && world.delays.allSatisfy { $0 < 30_000 })
    for (index, delay) in world.delays.prefix(7).enumerated() { #expect(delay < 500 << UInt64(index)) }
    #expect(world.delays.contains { $0 > 15_000 })
    world.listen()
    world.reopen()
    #expect(world.state == .open)
  }

  @Test(arguments: [(9_999, 3), (10_000, 1)]) func aStableConnectionBeginsAnew(
    open: UInt64, attempt: Int
  ) {
    make { $0.heartbeatIntervalMilliseconds = 0 }
    world.open()
    world.peer?.socket.reset()
    world.reopen()
    world.advance(open)
    world.peer?.socket.reset()
    world.run()
    #expect(world.events.last == "attempt \(attempt)")
  }

  @Test(
    arguments: [
      (1001, nil), (1006, nil), (1011, nil), (1012, nil), (1013, nil), (1014, nil), (3000, nil), (4499, nil),
      (1000, "done"), (1002, "closedAbnormally"), (1003, "closedAbnormally"), (1008, "closedAbnormally"),
      (3500, "closedAbnormally"), (4500, "closedAbnormally"),
    ] as [(UInt16, String?)])
  func theServersCloseCodeDecides(code: UInt16, ending: String?) {
    world.make(takesMessages: false)
    world.open()
    world.task("iteration") { for try await _ in $0 {} }
    if code == 1006 { world.peer?.socket.end() } else { world.peer?.close(code) }
    world.run()
    if let ending {
      #expect(world.state == .closed && world.isAtRest)
      #expect(world.notes == ["iteration \(ending)"])
      #expect(world.events.last == "close \(code) final")
    } else {
      #expect(world.events.contains("close \(code)") && world.events.last == "attempt 2")
      #expect(world.notes == [])
    }
  }

  @Test(arguments: [(401, false), (404, false), (429, true), (500, true), (503, true)])
  func theStatusDecides(status: Int, comesBack: Bool) {
    make()
    world.socket?.start()
    world.run()
    world.peer?.refuse(status)
    world.run()
    #expect((world.state == .closed) == !comesBack)
    #expect(world.events.first == "error handshakeFailed")
    #expect(world.events.last == (comesBack ? "attempt 2" : "close 1006 final"))
  }

  @Test func retryAfterIsAddedToTheDelay() {
    make()
    world.socket?.start()
    world.run()
    world.peer?.refuse(503, "Retry-After: 20\r\n")
    world.run()
    #expect((20_000..<20_500).contains(world.delays.first ?? 0))
  }

  @Test(arguments: [1, 3]) func attemptsAreLimited(maximum: Int) {
    make { $0.retry.maximumAttempts = maximum }
    world.refuse()
    world.task("connect") { try await $0.connect() }
    world.advance(100_000)
    #expect(world.events.count { $0 == "error connectFailed" } == maximum)
    #expect(world.events.last == "close 1006 final")
    #expect(world.notes == ["connect gaveUp"] && world.isAtRest)
  }

  @Test func timeIsLimitedAndItsEndIsTheLastAttempt() {
    make { $0.retry.giveUpMilliseconds = 10_000 }
    world.network.connectScripts[world.address] = .fails(ECONNREFUSED)
    let start = world.network.now
    world.socket?.start()
    world.run()
    while world.state != .closed { world.advance(1) }
    #expect(world.network.now - start == 10_000)
    #expect(world.isAtRest)
  }

  @Test func reconnectNowSkipsTheWait() {
    make { $0.backoff = Backoff(baseMilliseconds: 1_000_000, maximumMilliseconds: 1_000_000) }
    world.refuse()
    world.socket?.start()
    world.run()
    world.listen()
    world.socket?.reconnectNow()
    world.run()
    world.peer?.accept()
    world.run()
    #expect(world.state == .open)
    // An open connection is probed.
    world.socket?.reconnectNow()
    world.run()
    #expect(world.peer?.frames().map(\.opcode) == [9])
    world.advance(7_999)
    #expect(world.state == .open)
    world.advance(1)
    #expect(world.events.contains("error closedAbnormally"))
  }

  @Test func closingWhileConnecting() {
    make()
    world.socket?.start()
    world.run()
    world.task("close") { await $0.close() }
    #expect(world.state == .closed && world.isAtRest)
    #expect(world.notes == ["close done"] && world.events == ["close 1000 final"])
    #expect(world.peer?.socket.error == ECONNRESET)
  }

  @Test func closingWhileWaiting() {
    make()
    world.refuse()
    world.task("connect") { try await $0.connect() }
    world.task("close") { await $0.close() }
    #expect(world.state == .closed && world.isAtRest)
    #expect(world.notes.sorted() == ["close done", "connect notOpen"])
    world.task("send") { try await $0.send("x") }
    world.task("connect") { try await $0.connect() }
    #expect(world.notes.suffix(2) == ["send notOpen", "connect notOpen"])
  }

  @Test func aServerThatNeverAnswersTheCloseIsCut() {
    make()
    world.open()
    world.task("close") { await $0.close() }
    world.advance(4_999)
    #expect(world.state == .closing)
    world.advance(1)
    #expect(world.state == .closed && world.isAtRest && world.notes == ["close done"])
  }

  @Test func anAttemptThatHangsIsGivenUpAndRepeated() {
    make()
    world.network.connectScripts[world.address] = .silent
    world.socket?.start()
    world.advance(9_999)
    #expect(world.events == [])
    world.advance(1)
    #expect(world.events == ["error connectFailed", "attempt 2"])
  }

  @Test func aCancelledConnectLeavesTheSocketAlone() {
    make()
    let task = world.task("connect") { try await $0.connect() }
    task.cancel()
    world.run()
    #expect(world.notes == ["connect cancelled"] && world.state == .connecting)
    world.peer?.accept()
    world.run()
    #expect(world.state == .open)
  }

  @Test func withoutAURLNothingIsTried() {
    world.make([])
    world.task("connect") { try await $0.connect() }
    #expect(world.notes == ["connect invalidURL"] && world.isAtRest)
  }
}
