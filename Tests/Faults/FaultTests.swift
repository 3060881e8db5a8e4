import Glibc
import Testing

/// Random faults, and a checker that knows only the promises.
@Suite struct FaultTests {
  /// MARTLET_FAULT_SECONDS makes it a long run, which begins where MARTLET_FAULT_SEED says.
  @Test func promisesAreKept() {
    let seconds = number("MARTLET_FAULT_SECONDS") ?? 0
    let start = number("MARTLET_FAULT_SEED") ?? 0
    let begin = ContinuousClock.now
    let isLong = seconds > 0
    var seed = UInt64(start)
    var (events, shown) = (0, begin)
    repeat {
      var schedule = FaultSchedule(seed: seed)
      schedule.run(steps: isLong ? 20_000 : 3_000)
      events += schedule.world.eventCount
      expectNothingWrong(schedule, seed)
      seed += 1
      if isLong, ContinuousClock.now - shown > .seconds(10) {
        shown = .now
        print("faults: \(seed - UInt64(start)) schedules, \(events) events, next seed \(seed)")
        fflush(nil)
      }
    } while isLong ? ContinuousClock.now - begin < .seconds(seconds) : seed < start + 40
    if isLong { print("faults: done after \(seed - UInt64(start)) schedules, \(events) events") }
  }

  @Test(arguments: SeededBug.allCases)
  func theCheckerSees(_ bug: SeededBug) {
    var rules: Set<HistoryChecker.Rule> = []
    for seed in 0..<20 where rules.isDisjoint(with: bug.rules) {
      var schedule = FaultSchedule(seed: UInt64(seed), bug: bug)
      schedule.run(steps: 3_000)
      rules.formUnion(schedule.world.checker.complaints.map(\.rule))
    }
    #expect(!rules.isDisjoint(with: bug.rules), "\(bug) was not seen, but \(rules)")
  }

  private func expectNothingWrong(_ schedule: FaultSchedule, _ seed: UInt64) {
    let complaints = schedule.world.checker.complaints
    #expect(complaints.isEmpty, "seed \(seed): \(complaints.prefix(3))")
    #expect(schedule.leftovers == nil, "seed \(seed)")
  }

  private func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}
