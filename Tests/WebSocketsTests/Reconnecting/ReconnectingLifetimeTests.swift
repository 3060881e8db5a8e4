import EventLoops
import Testing
import Transport

@testable import WebSockets

/// Nothing is left behind: no object, no timer, no waiting task.
@Suite struct ReconnectingLifetimeTests {
  private struct Watch {
    weak var core: ReconnectingCore?
    weak var socket: ReconnectingWebSocket?
    weak var connection: WebSocketConnection?
    weak var link: ReconnectingLink?

    init(_ world: SimulatedReconnecting) {
      socket = world.socket
      core = world.socket?.core
      connection = world.socket?.core.connection
      link = world.socket?.core.link
    }

    var isGone: Bool { core == nil && socket == nil && connection == nil && link == nil }
  }

  @Test(arguments: 0..<6) func aDroppedSocketEnds(stage: Int) {
    let world = SimulatedReconnecting()
    if stage == 2 { world.refuse() }
    var options = ReconnectingWebSocketOptions()
    if stage == 4 { options.resubscribe = { socket in for try await _ in socket {} } }
    world.make(options: options)
    if stage > 0 { world.socket?.start() }
    world.run()
    if stage >= 3 {
      world.peer?.accept()
      world.run()
    }
    if stage == 5 { world.send("x") }
    let watch = Watch(world)
    world.drop()
    world.run()
    if stage >= 3 {
      #expect(world.peer?.frames().last?.opcode == 8)
      world.peer?.close(1001)
      world.run()
    }
    #expect(watch.isGone, "stage \(stage)")
    #expect(world.loop.timerCount == 0)
  }

  private final class Holder: @unchecked Sendable { var socket: ReconnectingWebSocket? }

  @Test func closingLetsGoOfClosuresThatHoldTheSocket() {
    let world = SimulatedReconnecting()
    var holder: Holder? = Holder()
    weak let watched = holder
    if let holder {
      var events = ReconnectingWebSocket.Events()
      events.onMessage = { _ in holder.socket?.post(.text("x")) }
      var options = ReconnectingWebSocketOptions()
      options.resubscribe = { _ in holder.socket?.reconnectNow() }
      options.refresh = { target, _ in
        holder.socket?.reconnectNow()
        return target
      }
      holder.socket = ReconnectingWebSocket(
        "ws://127.0.0.1/", options: options, events: events, on: world.loop)
    }
    holder?.socket?.start()
    world.run()
    holder?.socket?.stop()
    holder = nil
    #expect(watched != nil)
    world.run()
    #expect(watched == nil && world.isAtRest)
  }

  @Test func aThousandReconnectionsLeaveNothing() {
    let world = SimulatedReconnecting()
    world.make()
    world.open()
    for _ in 0..<1_000 {
      world.peer?.socket.reset()
      world.reopen()
      world.advance(10_000)
    }
    #expect(world.statistics?.connections == 1_001 && world.loop.timerCount <= 3)
    let watch = Watch(world)
    world.socket?.stop()
    world.peer?.close(1000)
    world.run()
    world.drop()
    world.run()
    #expect(watch.isGone && world.isAtRest)
  }

  @Test func aCancelledIterationEndsAndLeavesTheSocketOpen() {
    let world = SimulatedReconnecting()
    world.make(takesMessages: false)
    world.open()
    let task = world.task("reading") { for try await _ in $0 {} }
    task.cancel()
    world.run()
    #expect(world.notes == ["reading done"] && world.state == .open)
  }
}
