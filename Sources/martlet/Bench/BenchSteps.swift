/// What every benchmark does: open, close, add up.
enum BenchSteps {
  /// A server that completes no closing handshake for so long, in tenths of a second, is not waited for any longer.
  private static let closingPatience = 60

  /// Opens the target's connections; returns how many are open.
  ///
  /// - Throws: ``Problem`` if none is.
  static func open(
    _ group: LaneGroup, _ target: BenchTarget, _ interruption: Interruption, count: Int? = nil,
    _ make: @escaping @Sendable (Lane) -> BenchConnection
  ) async throws(Problem) -> Int {
    let watcher = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(100))
        if interruption.hasCome { _ = await group.map { $0.cancelOpening() } }
        Terminal.progress("\(await group.openCount) of \(target.connections) connections open")
      }
    }
    await group.open(count ?? target.connections, make)
    watcher.cancel()
    await watcher.value
    Terminal.progress("")
    let open = await group.openCount
    if interruption.hasCome { throw .failure("interrupted before anything was measured") }
    guard open > 0 else {
      let reason = await group.errors.kinds.first?.text ?? "no connection"
      throw .failure(reason)
    }
    return open
  }

  static func close(_ group: LaneGroup, _ interruption: Interruption) async {
    let watcher = Task {
      var (closed, silence) = (UInt64(0), 0)
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(100))
        let now = await group.map(\.closeTimes.count).reduce(0, +)
        (closed, silence) = (now, now == closed ? silence + 1 : 0)
        if silence == closingPatience { _ = await group.map { $0.abortAll() } }
        Terminal.progress("\(await group.openCount) connections to close")
      }
    }
    await group.closeAll()
    watcher.cancel()
    await watcher.value
    Terminal.progress("")
  }

  static func collect(_ group: LaneGroup, _ result: inout BenchResult) async {
    result.connect = TimeSummary(await group.connectTimes, fitted: true)
    result.close = TimeSummary(await group.closeTimes, fitted: true)
    result.errors.merge(await group.errors)
  }
}

/// CPU time, ours and the server's, between two moments.
struct Meter {
  private let server: ServerProcess?
  private let startUsage: ServerProcess.Usage?
  private let startCPU = MonotonicClock.processNanoseconds
  private let start = MonotonicClock.nanoseconds

  init(_ server: ServerProcess?) {
    self.server = server
    startUsage = server?.usage
  }

  func read(into result: inout BenchResult) {
    result.seconds = Double(MonotonicClock.nanoseconds - start) / 1e9
    result.generatorCPU = Double(MonotonicClock.processNanoseconds - startCPU)
    if let server, let startUsage {
      result.server = .init(usage: server.usage - startUsage, residentKiB: server.residentKiB)
    }
  }
}

/// Throughput over time, from counts that are read now and then.
struct Sampler {
  private(set) var samples: [BenchResult.Sample] = []
  private var last: (count: UInt64, seconds: Double) = (0, 0)

  mutating func add(_ count: UInt64, at seconds: Double) {
    guard seconds > last.seconds, count >= last.count else { return }
    samples.append(
      .init(seconds: seconds, perSecond: Double(count - last.count) / (seconds - last.seconds)))
    last = (count, seconds)
  }

  func show(_ what: String, of seconds: Int) {
    guard let sample = samples.last else { return }
    Terminal.progress(
      "\(Figure.fixed(sample.seconds, 1)) of \(seconds) s, \(Figure.count(sample.perSecond)) \(what)/s")
  }
}
