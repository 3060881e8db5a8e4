import CLinux

/// How many times a turn runs jobs that were added by jobs, before sockets get their turn again.
private let maximumJobRounds = 64

/// How many rounds of jobs run between two sockets; what they add beyond that waits for the turn's own time.
private let maximumPromptRounds = 4

/// For how long, in milliseconds, a turn hands out what the kernel reports.
private let handlingMilliseconds: UInt64 = 4

/// Tells when a turn has handed out enough of what the kernel reports.
struct HandlingTime {
  static let checkInterval = 8

  private var count = 0
  private(set) var isOver = false

  mutating func count(_ loop: EventLoop) {
    count += 1
    if count.isMultiple(of: Self.checkInterval) { isOver = loop.hasTurnLasted(handlingMilliseconds) }
  }
}

/// How many turns a loop that stops gives to what its end sets off.
private let maximumLastTurns = 1_000

extension EventLoop {
  /// One turn: waits if there is nothing to do, then does all there is. `mayWait` false makes it a poll.
  package func turn(mayWait: Bool = true) {
    // Loops that share a thread take turns at being the current one; with a thread of its own a loop always is.
    let previous = clinux_current_loop()
    if drivingThread != nil { clinux_set_current_loop(Unmanaged.passUnretained(self).toOpaque()) }
    defer { if drivingThread != nil { clinux_set_current_loop(previous) } }
    // With a thread of its own, a loop begins a turn when the last one has ended.
    let time = drivingThread == nil ? turnEnd : driver.currentMilliseconds()
    if local.isEmpty, !isToWrite, mayWait, mailbox.prepareToSleep() {
      driver.wait(until: timers.nextTime, at: time)
    } else {
      driver.wait(until: 0, at: time)
    }
    mailbox.takeAll(into: &local)
    fireTimers()
    if !local.isEmpty { runJobs() }
    if isToWrite || !kept.isEmpty { runEndOfTurn() }
    turnEnd = driver.currentMilliseconds()
    stalls.ended(after: turnEnd.subtractingOrZero(now))
  }

  /// Reads the clock; the driver calls it when a wait has ended.
  func updateTime() {
    now = driver.currentMilliseconds()
  }

  private func fireTimers() {
    while let due = timers.popDue(now: now) { due.target.timerFired(due.token) }
  }

  /// Resumes a task of this loop that ``runJobsPromptly()`` is to run, which the caller must see to: past the queue, before
  /// all other jobs. Inside a job it is resumed as any other.
  package func resumePromptly(_ continuation: UnsafeContinuation<Void, Never>) {
    assert(isCurrent)
    awaitsPromptJob = !isRunningJobs
    continuation.resume()
    awaitsPromptJob = false
  }

  /// Runs the jobs that wait now, and a few rounds of those that they add, before the next socket has its turn: for a job
  /// whose data the processor's cache still holds, and which will fill a buffer that the next socket can use again.
  ///
  /// Does nothing inside a job.
  package func runJobsPromptly() {
    guard !isRunningJobs else { return }
    if let job = promptJob {
      promptJob = nil
      isRunningJobs = true
      run(job)
      isRunningJobs = false
    }
    if !local.isEmpty { runJobs(rounds: maximumPromptRounds) }
  }

  private func runJobs(rounds maximumRounds: Int = maximumJobRounds) {
    var rounds = 0
    isRunningJobs = true
    while !local.isEmpty, rounds < maximumRounds {
      swap(&local, &running)
      for index in running.indices { run(running[index]) }
      running.removeAll(keepingCapacity: true)
      rounds += 1
    }
    isRunningJobs = false
  }

  private func run(_ work: LoopWork) {
    switch work {
    case .job(let job): run(job)
    case .closure(let closure): closure()
    }
  }

  private func run(_ job: UnownedJob) {
    job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }

  /// The body of the loop's own thread.
  func runUntilStopped() {
    clinux_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
    updateTime()
    while !stopping { turn() }
    end()
  }

  /// After the last turn: closes what is open, lets those who hear of it do what they do then, and lets go of everything.
  func end() {
    let previous = clinux_current_loop()
    clinux_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
    defer { clinux_set_current_loop(drivingThread == nil ? nil : previous) }
    driver.stopAll()
    // Tasks that waited for something of this loop hear of its end, and may then still end themselves.
    var turns = 0
    repeat {
      runEndOfTurn(isLast: true)
      mailbox.takeAll(into: &local)
      runJobs()
      // What has ended may have begun something anew.
      driver.stopAll()
      turns += 1
    } while turns < maximumLastTurns && (isToWrite || !local.isEmpty || !mailbox.isEmpty)
    releaseAll()
  }

  /// Lets go of everything that waits or is kept for this loop: most of it holds the loop.
  private func releaseAll() {
    hasEnded = true
    mailbox.close(into: &local)
    // First out of the loop, then freed: what ends may come back to the loop.
    let released = (timers.removeAll(), local, endOfTurnTargets, deferred, kept, storages, transportStorage)
    (local, endOfTurnTargets, deferred, kept, storages, transportStorage) = ([], [], [], [], [:], nil)
    withExtendedLifetime(released) {}
  }
}
