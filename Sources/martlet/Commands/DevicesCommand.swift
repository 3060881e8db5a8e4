import EventLoops

/// `martlet devices`
enum DevicesCommand: Command {
  private static let count = Flag("count", .integer("N", in: 1...1_000_000), default: "20", help: "devices")
  private static let interval = Flag(
    "interval-ms", .integer("MS", in: 1...86_400_000), default: "500",
    help: "time between two reports of a device, in milliseconds")
  private static let loops = Flag(
    "loops", .integer("N", in: 1...1_024), default: "1", help: "event loops (threads)")
  private static let seed = Flag(
    "seed", .integer("N", in: 0...Int.max), default: "1", help: "another seed makes other weather and trips")
  private static let duration = Flag("seconds", .duration, help: "end after this time")

  static let description = CommandDescription(
    name: "devices", summary: "Simulate a fleet of devices that report to a server",
    discussion: [
      "Homes (temperature, humidity, pressure) and cars (speed, fuel, cabin temperature) take turns. Each device"
        + " holds its own connection, is present in devices:fleet and publishes JSON to devices:all. One that"
        + " loses its connection comes back after a random, growing pause. 'serve --demo' lets them in."
    ],
    flags: [ServerFlags.url, count, interval, loops, seed, duration] + ClientTLS.flags,
    examples: [
      .init(purpose: "Twenty devices at 'martlet serve --demo'.", line: "martlet devices"),
      .init(
        purpose: "Two thousand devices that report every five seconds.",
        line: "martlet devices --count 2000 --interval-ms 5000"),
    ],
    exitStatuses: [
      (.success, "ended by Ctrl-C, SIGTERM or --seconds"),
      (.failure, "no device ever connected, or it failed; the reason is on standard error"),
      (.usage, "the command line cannot be used as given"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    Machine.raiseFileLimit()
    let termination = Termination()
    let server = try ServerFlags.address(arguments)
    let total = arguments.value(count) ?? 20
    let fleets = start(arguments, server, total)
    Terminal.note("\(total) devices report to \(server.webSocketURL)")
    let clock = ContinuousClock()
    let end = arguments.value(duration).map { clock.now + .seconds($0) }
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await showProgress(fleets, total) }
      tasks.addTask {
        if let end { try? await clock.sleep(until: end) } else { await termination.wait() }
      }
      if end != nil { tasks.addTask { await termination.wait() } }
      await tasks.next()
      tasks.cancelAll()
    }
    Terminal.progress("")
    let figures = await takeFigures(fleets)
    for (loop, fleet) in fleets { loop.execute { fleet.stop() } }
    // The close frames leave at the end of the loops' turn.
    try? await Task.sleep(for: .milliseconds(100))
    if let problem = problem(figures, at: server.webSocketURL) { throw problem }
    return .success
  }

  /// A fleet of which nobody ever arrived has done nothing.
  static func problem(_ figures: SimulatedFleet.Figures, at url: String) -> Problem? {
    guard figures.arrivals == 0 else { return nil }
    return .failure("no device could connect to \(url)" + (figures.lastProblem.map { ": \($0)" } ?? ""))
  }

  private static func takeFigures(
    _ fleets: [(loop: EventLoop, fleet: SimulatedFleet)]
  ) async -> SimulatedFleet.Figures {
    var figures = SimulatedFleet.Figures()
    for (loop, fleet) in fleets {
      figures =
        figures
        + (await withCheckedContinuation { continuation in
          loop.execute { continuation.resume(returning: fleet.takeFigures()) }
        })
    }
    return figures
  }

  private static func start(
    _ arguments: Arguments, _ server: ServerAddress, _ total: Int
  ) -> [(loop: EventLoop, fleet: SimulatedFleet)] {
    let interval = UInt64(arguments.value(interval) ?? 500)
    let seed = UInt64(arguments.value(seed) ?? 1)
    let group = EventLoopGroup(loops: min(total, arguments.value(loops) ?? 1))
    let fleets = group.loops.map { (loop: $0, fleet: SimulatedFleet(loop: $0)) }
    for (number, (loop, fleet)) in fleets.enumerated() {
      loop.execute {
        for index in stride(from: number, to: total, by: fleets.count) {
          // Starts spread over the interval spread the reports, too.
          let delay = interval * UInt64(index) / UInt64(total)
          fleet.add(
            Device(index: index, seed: seed), to: server, delay: delay, intervalMilliseconds: interval)
        }
      }
    }
    return fleets
  }

  /// Once a second: a line that stays in its place on a terminal, problems as they come otherwise.
  private static func showProgress(
    _ fleets: [(loop: EventLoop, fleet: SimulatedFleet)], _ total: Int
  ) async {
    let clock = ContinuousClock()
    var (lastReports, lastTime, lastProblem) = (0, clock.now, "")
    while (try? await clock.sleep(for: .seconds(1))) != nil {
      let figures = await takeFigures(fleets)
      let seconds = Double((clock.now - lastTime) / .milliseconds(1)) / 1_000
      let rate = Int((Double(figures.reports - lastReports) / seconds).rounded())
      (lastReports, lastTime) = (figures.reports, clock.now)
      if let problem = figures.lastProblem, problem != lastProblem {
        lastProblem = problem
        Terminal.progress("")
        Terminal.note(problem)
      }
      Terminal.progress(
        "\(figures.connected) of \(total) devices connected, \(rate) reports/s, \(figures.reports) reports")
    }
  }
}
