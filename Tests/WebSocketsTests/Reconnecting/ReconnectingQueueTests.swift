import CLinux
import EventLoops
import Testing
import Transport

@testable import WebSockets

/// What is sent while there is no connection, or while it dies.
@Suite struct ReconnectingQueueTests {
  private typealias Overflow = ReconnectingWebSocketOptions.Overflow
  private let world = SimulatedReconnecting()

  private func make(_ change: (inout ReconnectingWebSocketOptions) -> Void = { _ in }) {
    var options = ReconnectingWebSocketOptions()
    options.heartbeatIntervalMilliseconds = 0
    change(&options)
    world.make(options: options)
  }

  @Test func whatWaitsIsSentInOrderWhenTheConnectionOpens() {
    make()
    world.send("a", "b", "c")
    #expect(world.takeNotes() == ["a done", "b done", "c done"])
    #expect(world.statistics?.connections == 0)
    world.open()
    #expect(world.peer?.texts() == ["a", "b", "c"])
    world.send("d")
    #expect(world.peer?.texts() == ["d"])
  }

  /// Two messages fit: the second is at the limit, the third above it.
  @Test(
    arguments: [
      (.dropOldest, ["1 done", "2 done", "3 done"], ["2", "3"]),
      (.reject, ["1 done", "2 done", "3 queueFull"], ["1", "2"]),
      (.wait, ["1 done", "2 done"], ["1", "2", "3"]),
    ] as [(ReconnectingWebSocketOptions.Overflow, [String], [String])], [true, false])
  func beyondTheLimit(
    _ row: (policy: ReconnectingWebSocketOptions.Overflow, notes: [String], sent: [String]), byBytes: Bool
  ) {
    make {
      $0.overflow = row.policy
      if byBytes { $0.maximumQueuedBytes = 2 } else { $0.maximumQueuedMessages = 2 }
    }
    world.send("1", "2")
    #expect(world.notes == ["1 done", "2 done"])
    world.send("3")
    #expect(world.notes == row.notes)
    world.open()
    #expect(world.peer?.texts() == row.sent)
    #expect(world.notes.count == 3)
    #expect(world.statistics?.droppedMessages == (row.policy == .dropOldest ? 1 : 0))
  }

  @Test(arguments: [(.dropOldest, true), (.reject, true), (.wait, false)] as [(Overflow, Bool)])
  private func aMessageLargerThanTheQueue(policy: Overflow, isRefused: Bool) {
    make {
      $0.overflow = policy
      $0.maximumQueuedBytes = 4
    }
    world.send("kept", "five5")
    #expect(world.notes == (isRefused ? ["kept done", "five5 queueFull"] : ["kept done"]))
    world.open()
    #expect(world.peer?.texts() == (isRefused ? ["kept"] : ["kept", "five5"]))
    // Without a queue in the way, size does not matter.
    world.send("larger")
    #expect(world.peer?.texts() == ["larger"])
  }

  @Test func whoWaitsIsServedInOrder() {
    make { $0.maximumQueuedMessages = 1 }
    world.send("1", "2", "3", "4")
    #expect(world.takeNotes() == ["1 done"])
    world.open()
    #expect(world.takeNotes() == ["2 done", "3 done", "4 done"])
    #expect(world.peer?.texts() == ["1", "2", "3", "4"])
  }

  @Test func aCancelledSenderSendsNothing() {
    make { $0.maximumQueuedMessages = 1 }
    world.send("1")
    let task = world.task("2") { try await $0.send("2") }
    world.send("3")
    task.cancel()
    world.run()
    #expect(world.takeNotes() == ["1 done", "2 cancelled"])
    world.open()
    #expect(world.peer?.texts() == ["1", "3"])
  }

  @Test func whoPostsDoesNotWait() {
    make { $0.maximumQueuedMessages = 1 }
    for text in ["1", "2", "3"] { world.socket?.post(.text(text)) }
    world.run()
    #expect(world.takeEvents() == ["error queueFull", "error queueFull"])
    #expect(world.statistics?.droppedMessages == 2)
    world.open()
    #expect(world.peer?.texts() == ["1"])
  }

  @Test func closingDropsWhatWaits() {
    make { $0.maximumQueuedMessages = 1 }
    world.send("1", "2")
    world.socket?.stop()
    world.run()
    #expect(world.notes == ["1 done", "2 notOpen"] && world.statistics?.droppedMessages == 1)
    #expect(world.isAtRest)
  }

  @Test func closingSendsWhatWaitsForTheConnection() {
    make { $0.connection.socket.maximumQueuedBytes = 4_000 }
    world.open()
    world.peer?.socket.other?.writeWindow = 0
    let texts = (0..<20).map { String(repeating: "\($0 % 10)", count: 200) }
    for text in texts { world.task("send") { try await $0.send(text) } }
    world.socket?.stop()
    world.run()
    world.send("late")
    world.peer?.socket.other?.writeWindow = nil
    world.run()
    let frames = world.peer?.frames() ?? []
    #expect(frames.dropLast().map { String(decoding: $0.payload, as: UTF8.self) } == texts)
    #expect(frames.last?.opcode == 8)
    #expect(world.notes.count { $0 == "send done" } == 20 && world.notes.contains("late notOpen"))
  }

  /// A peer that reads slowly holds senders back; nothing is lost, and the connection is not given up.
  @Test func backpressureOfAnOpenConnection() {
    make {
      $0.connection.socket.maximumQueuedBytes = 4_000
      $0.maximumQueuedMessages = 2
      $0.overflow = .dropOldest
    }
    world.open()
    world.peer?.socket.other?.writeWindow = 0
    let texts = (0..<20).map { String(repeating: "\($0 % 10)", count: 200) }
    for text in texts { world.task("send") { try await $0.send(text) } }
    #expect(world.notes.count < 12 && world.statistics?.droppedMessages == 0)
    world.peer?.socket.other?.writeWindow = nil
    world.run()
    #expect(world.notes.count == 20)
    #expect(world.peer?.texts() == texts)
  }

  /// The kernel has taken the first message and a part of the second when the connection dies.
  @Test(arguments: [ReconnectingWebSocketOptions.Unsent.resend, .drop])
  func whatDiedWithItsConnection(policy: ReconnectingWebSocketOptions.Unsent) {
    make { $0.unsent = policy }
    world.open()
    let dead = world.peer
    let frame = 6 + 100
    dead?.socket.other?.writeWindow = frame + 50
    let texts = ["1", "2", "3"].map { String(repeating: $0, count: 100) }
    for text in texts { world.task("send") { try await $0.send(text) } }
    #expect(world.takeNotes().count == 3)
    dead?.socket.reset()
    world.run()
    world.send("4")
    world.reopen()
    #expect(dead?.texts() == [texts[0]])
    #expect(world.peer?.texts() == (policy == .resend ? [texts[1], texts[2], "4"] : ["4"]))
    #expect(world.statistics?.resentMessages == (policy == .resend ? 2 : 0))
    #expect(world.statistics?.droppedMessages == (policy == .resend ? 0 : 2))
  }

  /// Large messages go to the kernel at once, past the queue.
  @Test func aLargeMessageThatFails() {
    make()
    world.open()
    let dead = world.peer
    let large = String(repeating: "x", count: 100_000)
    dead?.socket.other?.nextWriteError = EPIPE
    // In one turn, so that one system call is offered both.
    world.task("both") {
      try await $0.send("small")
      try await $0.send(large)
    }
    #expect(world.takeNotes() == ["both done"])
    world.reopen()
    #expect(dead?.texts() == [] && world.peer?.texts() == ["small", large])
  }

  @Test func waitersChangeTheirWayWhenTheConnectionGoes() {
    make {
      $0.connection.socket.maximumQueuedBytes = 400
      $0.maximumQueuedMessages = 1
      $0.overflow = .reject
      $0.unsent = .drop
    }
    world.open()
    world.peer?.socket.other?.writeWindow = 0
    let text = String(repeating: "x", count: 150)
    for index in 0..<4 { world.task("\(index)") { try await $0.send(text) } }
    #expect(world.takeNotes() == ["0 done", "1 done"])
    world.peer?.socket.reset()
    world.run()
    #expect(world.takeNotes() == ["2 queueFull", "3 queueFull"])
  }

  @Test func theIterationGoesOn() {
    world.make(takesMessages: false)
    world.task("reading") { [world] socket in
      for try await case .text(let text) in socket { world.notes.append(text) }
    }
    world.open()
    world.peer?.send("1")
    world.run()
    world.peer?.socket.reset()
    world.reopen()
    world.peer?.send("2")
    world.peer?.send("3")
    world.run()
    world.peer?.close(1000)
    world.run()
    #expect(world.notes == ["1", "2", "3", "reading done"])
  }

  /// A reader that has fallen behind holds the next connection back, too.
  @Test func aSlowReaderHoldsEveryConnectionBack() throws {
    var options = ReconnectingWebSocketOptions()
    options.connection.socket.limits.maximumMessageBytes = 1_000
    world.make(options: options, takesMessages: false)
    world.open()
    for _ in 0..<20 { world.peer?.send(String(repeating: "x", count: 100)) }
    world.run()
    #expect(try world.read { $0.connection?.isReadingPaused } == true)
    world.peer?.socket.reset()
    world.reopen()
    #expect(try world.read { $0.connection?.isReadingPaused } == true)
    world.peer?.send("last")
    world.run()
    world.task("reading") { socket in
      var iterator = socket.makeAsyncIterator()
      while let message = try await iterator.next(), message != .text("last") {}
    }
    #expect(world.notes == ["reading done"])
    #expect(try world.read { $0.connection?.isReadingPaused } == false)
  }
}
