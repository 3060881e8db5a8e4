import EventLoops

/// The actor whose executor is a loop; one a loop.
///
/// What runs isolated to it stays on the loop by comparing two pointers after each call that may have suspended. A task that
/// merely prefers the loop as its executor finds that out under a lock of the task, each time.
actor LoopActor {
  private let loop: EventLoop

  private init(_ loop: EventLoop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// The loop's own. Loop only.
  static func of(_ loop: EventLoop) -> LoopActor {
    loop.storage(LoopActor.init)
  }
}
