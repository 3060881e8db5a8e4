import CLinux

private let longTurnMilliseconds: UInt64 = 2

/// What runs once at the end of a turn, when all of the turn's completions, timers and jobs have been handled; where it is
/// one of thousands, at the end of one of the next.
package protocol EndOfTurnTarget: AnyObject {
  func endOfTurn()
}

/// One thread with its sockets, timers and mailbox; a serial executor and a task executor.
///
/// What lives on a loop is touched by that loop only, so that it needs no locks. Methods are for the loop's own thread
/// unless they say otherwise; debug builds check it. A turn: completions, mailbox, timers, jobs, then the end-of-turn
/// list, on which connections with queued bytes wait to write them in one system call.
public final class EventLoop: @unchecked Sendable {
  /// The loop's place in its group, from 0.
  public let index: Int

  package let driver: Driver
  let mailbox = Mailbox()
  var timers: TimerWheel
  var now: UInt64
  /// Jobs and closures from this loop's own thread.
  var local: [LoopWork] = []
  var running: [LoopWork] = []
  /// Jobs are running: what they call starts no others.
  var isRunningJobs = false
  /// The job that runs before the next socket has its turn: see `resumePromptly`.
  var promptJob: UnownedJob?
  /// The next job is that one.
  var awaitsPromptJob = false
  var endOfTurnTargets: [any EndOfTurnTarget] = []
  var flushing: [any EndOfTurnTarget] = []
  /// Those that a turn had no time for and those of crowds, and how many of them have had theirs since.
  var deferred: [any EndOfTurnTarget] = []
  var deferredDone = 0
  /// What asks for the turn's end now is one of a crowd: see `forCrowd`.
  private var isForCrowd = false
  /// What must live until the turn's end: see `keepUntilEndOfTurn`.
  var kept: [AnyObject] = []
  var released: [AnyObject] = []
  /// When the last turn ended.
  var turnEnd: UInt64
  package let stalls = LoopStalls()
  var stopping = false
  /// There is no further turn: what is added is dropped.
  var hasEnded = false
  /// The thread that drives a simulated loop by calling `turn()`; nil for loops with a thread of their own.
  let drivingThread: pthread_t?

  /// Where modules above keep what they have once a loop; made by `storage(_:)`.
  package var storages: [ObjectIdentifier: AnyObject] = [:]
  /// The transport's own per-loop state.
  package var transportStorage: AnyObject? {
    didSet { transportPointer = transportStorage.map { Unmanaged.passUnretained($0).toOpaque() } }
  }
  /// The same for the way of each message, which counts no references.
  package private(set) var transportPointer: UnsafeMutableRawPointer?

  package init(index: Int, driver: Driver, drivenByCaller: Bool = false) {
    self.index = index
    self.driver = driver
    now = driver.currentMilliseconds()
    turnEnd = now
    timers = TimerWheel(time: now)
    drivingThread = drivenByCaller ? pthread_self() : nil
    driver.loop = self
  }

  /// Whether the caller runs on this loop's thread. Any thread; a thread-local load and a comparison.
  @inlinable
  public var isCurrent: Bool {
    clinux_current_loop() == Unmanaged.passUnretained(self).toOpaque() || isDrivenByCaller
  }

  /// A simulated loop's thread is its own between turns, too.
  @usableFromInline var isDrivenByCaller: Bool {
    guard let drivingThread else { return false }
    return pthread_equal(drivingThread, pthread_self()) != 0
  }

  /// The loop whose thread the caller runs on, if any.
  public static var current: EventLoop? {
    clinux_current_loop().map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Whether the loop comes to its end: no timer fires any more. Loop only.
  package var isStopping: Bool { stopping }

  /// Runs `work` on the loop, later and never inside this call. Any thread; first in, first out for each caller's thread.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    add(.closure(work))
  }

  /// The monotonic clock in milliseconds, read once a turn.
  public var nowMilliseconds: UInt64 {
    assert(isCurrent)
    return now
  }

  /// Calls `target` with `token` after at least `milliseconds`, to the millisecond of the turn's clock. The loop keeps
  /// the target alive until then or until `cancel`.
  public func schedule(after milliseconds: UInt64, _ target: any TimerTarget, token: UInt64) -> TimerID {
    assert(isCurrent)
    let (deadline, overflow) = now.addingReportingOverflow(milliseconds)
    return timers.insert(deadline: overflow ? .max : deadline, target: target, token: token)
  }

  /// Runs `work` after `milliseconds`.
  @discardableResult
  public func schedule(after milliseconds: UInt64, _ work: @escaping () -> Void) -> TimerID {
    schedule(after: milliseconds, ClosureTimer(work), token: 0)
  }

  /// Takes a timer back; one that has fired or was cancelled is ignored.
  public func cancel(_ timer: TimerID) {
    assert(isCurrent)
    let target = timers.cancel(timer)
    withExtendedLifetime(target) {}
  }

  /// Calls `target` once when this turn's work is done, or that of one of the next turns if there is much to do. The caller
  /// sees to it that it does not ask again before it was called.
  package func atEndOfTurn(_ target: any EndOfTurnTarget) {
    assert(isCurrent)
    if isForCrowd { deferred.append(target) } else { endOfTurnTargets.append(target) }
  }

  /// Whatever `body` brings to ask for the turn's end waits behind all that is not for a crowd: who is sent something alone
  /// should not wait for a thousand others.
  package func forCrowd(_ body: () -> Void) {
    let outer = isForCrowd
    isForCrowd = true
    body()
    isForCrowd = outer
  }

  /// Whether the turn has lasted for so long (two milliseconds) that work which can wait had better do so.
  package var isTurnLong: Bool { hasTurnLasted(longTurnMilliseconds) }

  func hasTurnLasted(_ milliseconds: UInt64) -> Bool {
    driver.currentMilliseconds().subtractingOrZero(now) >= milliseconds
  }

  /// Keeps an object that was let go while it may still be running, so that calls need not count references.
  package func keepUntilEndOfTurn(_ object: AnyObject) {
    assert(isCurrent)
    if !hasEnded { kept.append(object) }
  }

  /// The object of type `T` that belongs to this loop, made at first use.
  package func storage<T: AnyObject>(_ make: (EventLoop) -> T) -> T {
    assert(isCurrent)
    if let found = storages[ObjectIdentifier(T.self)] as? T { return found }
    let made = make(self)
    storages[ObjectIdentifier(T.self)] = made
    return made
  }

  func add(_ work: LoopWork) {
    if isCurrent { addHere(work) } else { post(work) }
  }

  /// From the loop's own thread.
  func addHere(_ work: LoopWork) {
    if !hasEnded { local.append(work) }
  }

  /// From another thread.
  func post(_ work: LoopWork) {
    if mailbox.post(work) { driver.wake() }
  }
}

private final class ClosureTimer: TimerTarget {
  private let work: () -> Void

  init(_ work: @escaping () -> Void) { self.work = work }

  func timerFired(_ token: UInt64) { work() }
}
