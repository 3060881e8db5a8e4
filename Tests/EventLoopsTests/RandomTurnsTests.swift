import TestRandomness
import Testing

@testable import EventLoops

/// Random targets and jobs that take time, ask again, bring others to ask and let go of things. Whatever they do, each is
/// called once for each time that it asked, in order, soon enough, and before the loop ends.
@Suite struct RandomTurnsTests {
  @Test(arguments: 0..<200)
  func everybodyIsCalledOnceInOrderAndSoonEnough(seed: UInt64) {
    let world = RandomTurns(seed: seed)
    do {
      let network = SimulatedNetwork()
      world.begin(network)
      for _ in 0..<60 { world.turn() }
      world.isEnding = true
    }
    #expect(world.complaints == [])
    #expect(world.waiting.isEmpty, "called before the loop ended")
    #expect(world.jobsRun == world.jobsAdded)
    #expect(world.calls > 100 && world.jobsRun > 50)
  }
}

/// What is random, and what must hold.
private final class RandomTurns: @unchecked Sendable {
  /// One time that a target asked.
  struct Asking {
    let serial: Int
    let turn: Int
    /// Where the order is promised: among all of crowds, and among the others that jobs of the same turn made ask.
    let isForCrowd: Bool
    let isFromJob: Bool
    /// The last turn in which it may be called.
    var limit = Int.max
  }

  /// A turn has time for so many of those that wait, at the least.
  private static let leastPerTurn = 4

  var random: SeededRandom
  var isEnding = false
  private(set) var complaints: [String] = []
  private(set) var waiting: [Int: Asking] = [:]
  private(set) var calls = 0
  private(set) var jobsAdded = 0
  private(set) var jobsRun = 0
  private weak var network: SimulatedNetwork?
  private unowned(unsafe) var loop: EventLoop!
  private var targets: [RandomTarget] = []
  private var now = 0
  private var lastSerial = 0
  private var lastOfCrowds = 0
  private var lastOfJobs: [Int: Int] = [:]
  private var isInJob = false
  /// A target is being called; the jobs that run then are not the turn's own.
  private var isInCall = false

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  func begin(_ network: SimulatedNetwork) {
    self.network = network
    loop = network.makeLoop()
    targets = (0..<200).map { RandomTarget($0, self) }
  }

  func turn() {
    now += 1
    for _ in 0..<random.below(4) { addJob() }
    if random.below(3) == 0 { askMany(random.below(150)) }
    loop.turn()
    // Who waits now is called after those before it.
    for (place, target) in loop.deferred[loop.deferredDone...].enumerated() {
      guard let number = (target as? RandomTarget)?.number else { continue }
      let limit = now + place / Self.leastPerTurn + 1
      if limit < waiting[number]?.limit ?? 0 { waiting[number]?.limit = limit }
    }
    for target in loop.endOfTurnTargets {
      guard let number = (target as? RandomTarget)?.number else { continue }
      if waiting[number] == nil { complaints.append("\(number) is on the list and did not ask") }
    }
  }

  private func askMany(_ count: Int) {
    if random.below(2) == 0 { return (0..<count).forEach { _ in askOne() } }
    loop.forCrowd { (0..<count).forEach { _ in askOne(isForCrowd: true) } }
  }

  private func askOne(isForCrowd: Bool = false) {
    let number = random.below(targets.count)
    guard waiting[number] == nil else { return }
    lastSerial += 1
    waiting[number] = Asking(
      serial: lastSerial, turn: now, isForCrowd: isForCrowd, isFromJob: isInJob && !isInCall)
    loop.atEndOfTurn(targets[number])
  }

  func called(_ number: Int) {
    guard let asking = waiting.removeValue(forKey: number) else {
      return complaints.append("\(number) was called and did not ask")
    }
    calls += 1
    if !isEnding, now > asking.limit {
      complaints.append("\(number) was called \(now - asking.limit) turns late")
    }
    if asking.isForCrowd {
      if asking.serial < lastOfCrowds { complaints.append("\(number) was overtaken in its crowd") }
      lastOfCrowds = asking.serial
    } else if asking.isFromJob {
      if asking.serial < lastOfJobs[asking.turn] ?? 0 { complaints.append("\(number) was overtaken") }
      lastOfJobs[asking.turn] = asking.serial
    }
    isInCall = true
    act()
    isInCall = false
  }

  private func act() {
    switch random.below(isEnding ? 400 : 16) {
    case 0: network?.spend(milliseconds: UInt64(random.below(6)))
    case 1: network?.spend(milliseconds: 1)
    case 2: askOne()
    case 3: askMany(random.below(20))
    case 4: addJob()
    case 5: loop.keepUntilEndOfTurn(RandomTarget(-1, self))
    case 6: loop.runJobsPromptly()
    default: break
    }
  }

  private func addJob() {
    let number = jobsAdded
    jobsAdded += 1
    loop.execute { self.run(number) }
  }

  private func run(_ number: Int) {
    if isInJob { complaints.append("job \(number) runs inside another") }
    if number != jobsRun { complaints.append("job \(number) came in the place of \(jobsRun)") }
    isInJob = true
    jobsRun += 1
    for _ in 0..<random.below(3) { act() }
    if random.below(3) == 0 { askOne() }
    isInJob = false
  }
}

private final class RandomTarget: EndOfTurnTarget {
  let number: Int
  private unowned let world: RandomTurns

  init(_ number: Int, _ world: RandomTurns) { (self.number, self.world) = (number, world) }

  func endOfTurn() { world.called(number) }
}
