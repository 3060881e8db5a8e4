import Glibc
import Testing

/// Random faults, and a checker that knows only the promises.
@Suite struct FaultTests {
  /// A long run (scripts/faults) takes MARTLET_FAULT_SECONDS of this machine's time, or goes on until
  /// MARTLET_FAULT_SIMULATED_SECONDS are over in the simulation; it begins with the seed MARTLET_FAULT_SEED.
  @Test func promisesAreKept() {
    let (seconds, simulated) = (number("MARTLET_FAULT_SECONDS"), number("MARTLET_FAULT_SIMULATED_SECONDS"))
    let isLong = seconds != nil || simulated != nil
    let start = UInt64(number("MARTLET_FAULT_SEED") ?? 0)
    let begin = ContinuousClock.now
    var (figures, shown) = (FaultFigures(), begin)
    var isOver = false
    while !isOver {
      let seed = start + UInt64(figures.schedules)
      var schedule = FaultSchedule(seed: seed)
      schedule.run(steps: isLong ? 20_000 : 3_000)
      figures.count(schedule)
      expectNothingWrong(schedule, seed)
      if let simulated {
        isOver = figures.simulatedMilliseconds >= UInt64(simulated) * 1_000
      } else {
        isOver = seconds.map { ContinuousClock.now - begin >= .seconds($0) } ?? (figures.schedules == 40)
      }
      guard isLong, isOver || ContinuousClock.now - shown > .seconds(10) else { continue }
      shown = .now
      print("faults: \(figures), \(isOver ? "done" : "next seed \(seed + 1)")")
      fflush(nil)
    }
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
