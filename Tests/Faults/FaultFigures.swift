import EventLoops

/// What has happened in all schedules of a run.
struct FaultFigures: CustomStringConvertible {
  private(set) var schedules = 0
  private var events = 0
  private var connections = 0
  private var restarts = 0
  private var jumps = 0
  private(set) var simulatedMilliseconds: UInt64 = 0
  private(set) var violations = 0

  /// A schedule is over.
  mutating func count(_ schedule: FaultSchedule) {
    let world = schedule.world
    schedules += 1
    events += world.eventCount
    connections += world.lastConnection
    restarts += world.run
    jumps += schedule.clockJumps
    simulatedMilliseconds += world.network.now
    violations += world.checker.complaints.count + (schedule.leftovers == nil ? 0 : 1)
  }

  var description: String {
    let minutes = simulatedMilliseconds / 60_000
    return "\(schedules) schedules, \(minutes / 60) h \(minutes % 60) min simulated, \(events) events,"
      + " \(connections) connections, \(restarts) restarts, \(jumps) clock jumps,"
      + " \(violations) violations"
  }
}
