import EventLoops

/// The actor whose executor is a loop; one a loop.
///
/// What runs isolated to it is on the loop again after each call that may have suspended without going through the loop's
/// queue of jobs, as a task would that merely prefers the loop as its executor.
actor LoopActor {
  private let loop: EventLoop

  private init(_ loop: EventLoop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// The loop's own. Loop only.
  static func of(_ loop: EventLoop) -> LoopActor {
    loop.storage(LoopActor.init)
  }
}
