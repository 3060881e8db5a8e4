import EventLoops

/// Says when messages are due, by a ``SendSchedule``. Loop-confined.
final class Pacer: @unchecked Sendable {
  private let loop: EventLoop
  private(set) var schedule: SendSchedule
  private let due: (_ connection: Int) -> Void
  private var isRunning = false

  /// - Parameter due: called for each message with its connection.
  init(_ loop: EventLoop, rate: Double, connections: Int, due: @escaping (_ connection: Int) -> Void) {
    self.loop = loop
    self.due = due
    schedule = SendSchedule(
      rate: rate, connections: connections, start: MonotonicClock.nanoseconds + 1_000_000)
  }

  func start() {
    isRunning = true
    run()
  }

  func stop() { isRunning = false }

  /// Comes back in time for the next message: the loop's timers are good to a millisecond, so the last two of them are
  /// spent turning.
  private func run() {
    guard isRunning else { return }
    let now = MonotonicClock.nanoseconds
    while let connection = schedule.popDue(now: now) { due(connection) }
    let wait = schedule.nextDue > now ? (schedule.nextDue - now) / 1_000_000 : 0
    if wait > 2 {
      loop.schedule(after: wait - 1) { [self] in run() }
    } else {
      loop.execute { self.run() }
    }
  }
}
