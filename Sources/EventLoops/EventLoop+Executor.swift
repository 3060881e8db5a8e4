extension EventLoop: SerialExecutor, TaskExecutor {
  /// Takes a job of Swift concurrency. From the loop's own thread it costs no lock and no system call.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard isCurrent else { return post(.job(job)) }
    if awaitsPromptJob, promptJob == nil { promptJob = job } else { addHere(.job(job)) }
  }

  /// The loop as the executor of an actor.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// The loop as the preferred executor of a task: `Task(executorPreference: loop)`.
  public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

  /// Traps unless the caller runs on the loop.
  public func checkIsolated() {
    precondition(isCurrent, "This code must run on its event loop.")
  }

  /// Whether the caller runs on the loop.
  public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
