import Synchronization
import Testing

@testable import EventLoops

private final class Record: @unchecked Sendable {
  var items: [Int] = []
  var signal: UnsafeContinuation<Void, Never>?
}

/// Runs on a loop.
private actor LoopActor {
  private let loop: EventLoop

  init(_ loop: EventLoop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  func wait(_ record: Record) async {
    await withUnsafeContinuation { record.signal = $0 }
    record.items.append(1)
    await withUnsafeContinuation { record.signal = $0 }
    record.items.append(4)
  }
}

@Suite struct EventLoopTests {
  @Test(arguments: RealDriver.kinds)
  func postsFromFourThreadsKeepTheirOrder(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    defer { group.shutdown() }
    let loop = group.loops[0]
    let record = Record()
    let perProducer = 20_000
    await withTaskGroup(of: Void.self) { tasks in
      for producer in 0..<4 {
        tasks.addTask {
          for item in 0..<perProducer { loop.execute { record.items.append(producer * perProducer + item) } }
        }
      }
    }
    let items = await onLoop(loop) { record.items }
    #expect(items.count == 4 * perProducer)
    for producer in 0..<4 {
      let own = items.filter { $0 / perProducer == producer }
      #expect(own == Array(producer * perProducer..<(producer + 1) * perProducer))
    }
  }

  @Test(arguments: RealDriver.kinds)
  func aSleepingLoopIsWokenAgainAndAgain(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 2, driver: kind)
    defer { group.shutdown() }
    for round in 0..<2_000 {
      let loop = group.loops[round % 2]
      #expect(await onLoop(loop) { loop.isCurrent })
      #expect(!loop.isCurrent)
    }
  }

  @Test(arguments: RealDriver.kinds)
  func aTaskThatPrefersTheLoopStaysOnIt(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    defer { group.shutdown() }
    let loop = group.loops[0]
    let stayed = await Task(executorPreference: loop) {
      var stayed = loop.isCurrent
      for _ in 0..<100 {
        await Task.yield()
        stayed = stayed && loop.isCurrent
      }
      return stayed
    }.value
    #expect(stayed)
  }

  @Test func anActorOnTheLoopRunsThere() async {
    let group = EventLoopGroup(loops: 1)
    defer { group.shutdown() }
    let counter = Counter(group.loops[0])
    for _ in 0..<100 { await counter.add() }
    #expect(await counter.value == 100)
    #expect(await counter.isOnLoop)
  }

  @Test func jobsOfTheLoopItselfDoNotWakeIt() {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let record = Record()
    loop.execute {
      record.items.append(1)
      loop.execute { record.items.append(3) }
      record.items.append(2)
    }
    #expect(record.items == [])
    loop.turn()
    #expect(record.items == [1, 2, 3])
    let nothingPosted = loop.mailbox.isEmpty
    #expect(nothingPosted)
  }

  @Test func jobsThatAreWantedPromptlyRunAFewRounds() {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let record = Record()
    @Sendable func add(_ item: Int) {
      loop.execute {
        record.items.append(item)
        // Inside a job no other one runs.
        loop.runJobsPromptly()
        if item < 9 { add(item + 1) }
      }
    }
    add(0)
    loop.runJobsPromptly()
    #expect(record.items == [0, 1, 2, 3])
    loop.turn()
    #expect(record.items == Array(0...9))
  }

  @Test func aTaskThatIsResumedPromptlyRunsBeforeAllOtherJobs() throws {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let record = Record()
    let actor = LoopActor(loop)
    Task(executorPreference: loop) { await actor.wait(record) }
    loop.turn()
    loop.execute { record.items.append(2) }
    loop.resumePromptly(try #require(record.signal))
    #expect(record.items == [])
    loop.runJobsPromptly()
    #expect(record.items == [1, 2])
    // Inside a job it takes its turn.
    let signal = try #require(record.signal)
    loop.execute {
      loop.execute { record.items.append(3) }
      loop.resumePromptly(signal)
      loop.runJobsPromptly()
    }
    loop.turn()
    #expect(record.items == [1, 2, 3, 4])
  }

  @Test func timersOfTheLoopFireInVirtualTime() {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    var fired: [UInt64] = []
    let start = loop.nowMilliseconds
    for delay in [500, 20, 20_000, 1] as [UInt64] {
      loop.schedule(after: delay) { fired.append(loop.nowMilliseconds - start) }
    }
    let cancelled = loop.schedule(after: 30) { fired.append(0) }
    loop.cancel(cancelled)
    network.advance(milliseconds: 19_999)
    #expect(fired == [1, 20, 500])
    network.advance(milliseconds: 1)
    #expect(fired == [1, 20, 500, 20_000])
  }

  @Test(arguments: RealDriver.kinds)
  func realTimersFire(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    defer { group.shutdown() }
    let loop = group.loops[0]
    let waited = await withCheckedContinuation { (continuation: CheckedContinuation<UInt64, Never>) in
      loop.execute {
        let start = loop.nowMilliseconds
        loop.schedule(after: 15) { continuation.resume(returning: loop.nowMilliseconds - start) }
      }
    }
    #expect(waited >= 15)
  }

  @Test(arguments: RealDriver.kinds)
  func whatALoopHoldsIsFreedWhenItStops(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    let loop = group.loops[0]
    let watch = Watch()
    await onLoop(loop) {
      let target = HoldingTarget(loop)
      watch.target = target
      _ = loop.schedule(after: 1_000_000, target, token: 0)
      _ = loop.storage { HoldingTarget($0) }
    }
    #expect(watch.target != nil)
    group.shutdown()
    #expect(watch.target == nil)
    // What is posted to a loop that has stopped is not kept.
    var posted: Watch? = Watch()
    weak let last = posted
    loop.execute { [posted] in _ = posted }
    posted = nil
    #expect(last == nil)
  }

  @Test func whatASimulatedLoopHoldsIsFreedWithItsNetwork() {
    weak var target: HoldingTarget?
    weak var loop: EventLoop?
    do {
      let network = SimulatedNetwork()
      let made = HoldingTarget(network.makeLoop())
      (target, loop) = (made, made.loop)
      _ = made.loop.schedule(after: 1, made, token: 0)
      made.loop.execute { [made = UncheckedReference(value: made)] in _ = made }
    }
    #expect(target == nil && loop == nil)
  }

  @Test(arguments: RealDriver.kinds)
  func theEndReachesWhatComesAgain(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    let loop = group.loops[0]
    let ends = Ends()
    await onLoop(loop) { StubbornTarget.listen(loop, ends) }
    group.shutdown()
    #expect(ends.count == 3)
    #expect(ends.last == nil)
  }

  @Test func theEndOfASimulationReachesWhatComesAgain() {
    let ends = Ends()
    do {
      let network = SimulatedNetwork()
      let loop = network.makeLoop()
      loop.execute { StubbornTarget.listen(loop, ends) }
      network.runUntilIdle()
    }
    #expect(ends.count == 3)
    #expect(ends.last == nil)
  }

  @Test func whatATimerHoldsMayComeBackWhenItIsTakenBack() {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    loop.execute { [unowned loop] in
      let held = HoldingTarget(loop)
      loop.cancel(loop.schedule(after: 5) { withExtendedLifetime(held) {} })
    }
    network.runUntilIdle()
    #expect(loop.timerCount == 0)
  }

  @Test func nextIsTheCallersLoop() async {
    let group = EventLoopGroup(loops: 3)
    defer { group.shutdown() }
    let loop = group.loops[2]
    #expect(await onLoop(loop) { group.next() === loop })
    #expect(Set((0..<3).map { _ in group.next().index }) == [0, 1, 2])
  }
}

/// Holds its loop, which holds it.
private final class HoldingTarget: TimerTarget {
  let loop: EventLoop
  var timer: TimerID?

  init(_ loop: EventLoop) {
    self.loop = loop
    timer = loop.schedule(after: 5, {})
  }

  // Comes back to the loop that lets go of it.
  deinit { if let timer { loop.cancel(timer) } }

  func timerFired(_ token: UInt64) {}
}

/// Listens anew, a moment later, when its loop stops; the third time it has understood.
private final class StubbornTarget: IOTarget, @unchecked Sendable {
  private let loop: EventLoop
  private let ends: Ends

  private init(_ loop: EventLoop, _ ends: Ends) {
    self.loop = loop
    self.ends = ends
  }

  static func listen(_ loop: EventLoop, _ ends: Ends) {
    let target = StubbornTarget(loop, ends)
    ends.last = target
    _ = try? loop.driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 1), target: target)
  }

  override func loopStopped() {
    ends.count += 1
    if ends.count < 3 { loop.execute { [loop, ends] in Self.listen(loop, ends) } }
  }
}

/// What the targets of a loop share.
private final class Ends: @unchecked Sendable {
  var count = 0
  weak var last: StubbornTarget?
}

private final class Watch: @unchecked Sendable {
  weak var target: HoldingTarget?
}

private struct UncheckedReference: @unchecked Sendable {
  let value: HoldingTarget
}

private actor Counter {
  let loop: EventLoop
  var value = 0

  init(_ loop: EventLoop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  var isOnLoop: Bool { loop.isCurrent }
  func add() { value += 1 }
}

/// Runs `body` on the loop.
func onLoop<R: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    loop.execute { continuation.resume(returning: body()) }
  }
}
