import EventLoops

/// `martlet bench echo`: messages there and back.
struct EchoBench: Sendable {
  /// How long replies may be late at the end, in seconds.
  private static let drainSeconds = 5.0

  let target: BenchTarget
  let interruption: Interruption
  private let group: LaneGroup
  private let loads: [EchoLoad]

  init(_ target: BenchTarget, _ interruption: Interruption) {
    self.target = target
    self.interruption = interruption
    group = LaneGroup(target)
    loads = group.lanes.map {
      EchoLoad($0, size: target.size, depth: target.depth, sendsText: target.sendsText)
    }
  }

  func run() async throws(Problem) -> BenchResult {
    var result = BenchResult("echo", target)
    defer { group.shutdown() }
    let memoryBefore = target.server?.residentKiB ?? 0
    result.connections = try await BenchSteps.open(group, target, interruption) { [loads] lane in
      EchoConnection(lane, loads[lane.index])
    }
    await begin(connections: result.connections)
    if await warmUp() { await measure(&result) }
    await drain(&result)
    if let server = target.server {
      result.server?.residentKiB = server.residentKiB
      result.server?.bytesPerConnection =
        Double(server.residentKiB - memoryBefore) * 1_024 / Double(max(1, result.connections))
    }
    await BenchSteps.close(group, interruption)
    await collect(&result)
    return result
  }

  private func begin(connections: Int) async {
    let rate = target.rate
    _ = await group.map { [loads] lane in
      // Each lane has its part of the rate.
      loads[lane.index].begin(rate: rate.map { $0 * Double(lane.openCount) / Double(max(1, connections)) })
    }
  }

  private func warmUp() async -> Bool {
    await interruption.wait(seconds: Double(target.warmupSeconds)) { _ in
      Terminal.progress("warming up")
      return await group.openCount > 0
    }
  }

  private func measure(_ result: inout BenchResult) async {
    let meter = Meter(target.server)
    _ = await group.map { [loads] lane in loads[lane.index].beginMeasuring() }
    var sampler = Sampler()
    await interruption.wait(seconds: Double(target.seconds)) { seconds in
      let states = await group.map { [loads] lane in (loads[lane.index].completed, lane.openCount) }
      sampler.add(states.map(\.0).reduce(0, +), at: seconds)
      sampler.show("messages", of: target.seconds)
      return states.contains { $0.1 > 0 }
    }
    meter.read(into: &result)
    if await group.openCount == 0 {
      result.notes.append("every connection was lost; the measurement ended there")
    }
    let counts = await group.map { [loads] lane in
      loads[lane.index].endMeasuring()
      return loads[lane.index].completed
    }
    result.samples = sampler.samples
    let count = counts.reduce(0, +)
    result.counted = .init(
      name: "messages", unit: "message", count: count, perSecond: Double(count) / max(result.seconds, 1e-9))
  }

  /// Waits for the replies that are on their way.
  private func drain(_ result: inout BenchResult) async {
    _ = await group.map { [loads] lane in loads[lane.index].endSending() }
    let start = MonotonicClock.nanoseconds
    var missing = 0
    repeat {
      missing = await group.map { [loads] lane in loads[lane.index].unanswered }.reduce(0, +)
      if missing == 0 || interruption.hasCome { return }
      try? await Task.sleep(for: .milliseconds(5))
    } while Double(MonotonicClock.nanoseconds - start) < Self.drainSeconds * 1e9
    result.errors.add("without a reply for \(Int(Self.drainSeconds)) s at the end", missing)
  }

  private func collect(_ result: inout BenchResult) async {
    var latency = LatencyHistogram()
    for (lane, load) in zip(group.lanes, loads) {
      let (times, mismatches, unexpected) = await group.value(of: lane) {
        (load.latency, load.mismatches, load.unexpected)
      }
      latency.merge(times)
      result.errors.add("replies that were not what had been sent", mismatches)
      result.errors.add("messages that nobody had asked for", unexpected)
    }
    result.latency = TimeSummary(latency)
    await BenchSteps.collect(group, &result)
  }
}
