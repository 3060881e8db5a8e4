import EventLoops
import WebSocketCore
import WebSockets

/// `martlet bench connect`: open, close, again.
struct ConnectBench: Sendable {
  private let target: BenchTarget
  private let interruption: Interruption
  private let group: LaneGroup
  private let loads: [ConnectLoad]

  init(_ target: BenchTarget, _ interruption: Interruption) {
    self.target = target
    self.interruption = interruption
    group = LaneGroup(target)
    loads = group.lanes.map { ConnectLoad($0.loop, target) }
  }

  func run() async throws(Problem) -> BenchResult {
    var result = BenchResult("connect", target)
    defer { group.shutdown() }
    result.connections = target.connections
    let slots = target.connections
    _ = await group.map { [loads] lane in
      loads[lane.index].begin(
        slots / loads.count + (lane.index < slots % loads.count ? 1 : 0))
    }
    let isWarm = await interruption.wait(seconds: Double(target.warmupSeconds)) { _ in
      Terminal.progress("warming up")
      return await isOfUse()
    }
    if isWarm { await measure(&result) }
    let found = await end()
    for tally in found { result.errors.merge(tally.errors) }
    if found.allSatisfy({ $0.everOpened == 0 }) {
      throw .failure(result.errors.kinds.first?.text ?? "no connection")
    }
    result.connect = TimeSummary(Self.merged(found.map(\.connect)), fitted: true)
    result.close = TimeSummary(Self.merged(found.map(\.close)), fitted: true)
    return result
  }

  /// Whether anything works at all.
  private func isOfUse() async -> Bool {
    let states = await group.map { [loads] lane in
      (loads[lane.index].everOpened, loads[lane.index].errors.count)
    }
    return states.contains { $0.0 > 0 } || states.map(\.1).reduce(0, +) < target.connections
  }

  private func measure(_ result: inout BenchResult) async {
    let meter = Meter(target.server)
    _ = await group.map { [loads] lane in loads[lane.index].beginMeasuring() }
    var sampler = Sampler()
    await interruption.wait(seconds: Double(target.seconds)) { seconds in
      let count = await group.map { [loads] lane in loads[lane.index].completed }.reduce(0, +)
      sampler.add(count, at: seconds)
      sampler.show("handshakes", of: target.seconds)
      return await isOfUse()
    }
    meter.read(into: &result)
    let count = await group.map { [loads] lane in loads[lane.index].endMeasuring() }.reduce(0, +)
    Terminal.progress("")
    result.samples = sampler.samples
    result.counted = .init(
      name: "handshakes", unit: "handshake", count: count,
      perSecond: Double(count) / max(result.seconds, 1e-9))
  }

  private func end() async -> [ConnectLoad.Found] {
    var found: [ConnectLoad.Found] = []
    for (lane, load) in zip(group.lanes, loads) {
      await withCheckedContinuation { continuation in
        lane.loop.execute { load.end { continuation.resume() } }
      }
      found.append(await group.value(of: lane) { load.found })
    }
    return found
  }

  private static func merged(_ histograms: [LatencyHistogram]) -> LatencyHistogram {
    histograms.reduce(into: LatencyHistogram()) { $0.merge($1) }
  }
}

/// Connections that come and go on one loop. Loop-confined.
final class ConnectLoad: @unchecked Sendable {
  struct Found: Sendable {
    var connect: LatencyHistogram
    var close: LatencyHistogram
    var errors: ErrorTally
    var everOpened: UInt64
  }

  /// A server that refuses is not asked again at once, in milliseconds.
  private static let pauseAfterFailure: UInt64 = 50

  private let loop: EventLoop
  private let url: String
  private var rotation: SourceRotation
  private var isMeasuring = false
  private var isEnding = false
  /// Connections that are being opened, are open, or wait for their turn.
  private var busy = 0
  private var whenEnded: (() -> Void)?
  /// Opened and closed within the measured time.
  private(set) var completed: UInt64 = 0
  private(set) var everOpened: UInt64 = 0
  private(set) var errors = ErrorTally()
  private var connectTimes = LatencyHistogram()
  private var closeTimes = LatencyHistogram()

  init(_ loop: EventLoop, _ target: BenchTarget) {
    self.loop = loop
    url = target.url
    rotation = SourceRotation(target)
  }

  var found: Found {
    Found(connect: connectTimes, close: closeTimes, errors: errors, everOpened: everOpened)
  }

  func begin(_ count: Int) {
    busy = count
    for _ in 0..<count { open() }
  }

  func beginMeasuring() {
    isMeasuring = true
    completed = 0
  }

  func endMeasuring() -> UInt64 {
    isMeasuring = false
    isEnding = true
    return completed
  }

  /// Calls `done` when the last connection is closed.
  func end(_ done: @escaping () -> Void) {
    isEnding = true
    whenEnded = done
    finish()
  }

  private func open() {
    guard !isEnding else { return leave() }
    let visit = Visit(self, startedAt: MonotonicClock.nanoseconds)
    WebSocketClient.connect(to: url, on: loop, options: rotation.next(), handler: visit) { [self] result in
      guard case .failure(let error) = result else { return }
      errors.add(Explanation.brief(error))
      if isEnding { return leave() }
      loop.schedule(after: Self.pauseAfterFailure) { [self] in open() }
    }
  }

  fileprivate func opened(after nanoseconds: UInt64) {
    everOpened += 1
    if isMeasuring { connectTimes.record(nanoseconds) }
  }

  fileprivate func closed(after nanoseconds: UInt64, _ code: CloseCode, _ reason: String) {
    if code == .normal || code == .noStatus {
      if isMeasuring {
        closeTimes.record(nanoseconds)
        completed += 1
      }
    } else {
      errors.add("not closed properly: \(Closure.text(code, reason))")
    }
    // Not inside the end of this one.
    loop.execute { self.open() }
  }

  private func leave() {
    busy -= 1
    finish()
  }

  private func finish() {
    guard busy == 0, let done = whenEnded else { return }
    whenEnded = nil
    done()
  }
}

/// One connection, which closes itself as soon as it is open. The server ends the TCP connection (RFC 6455 §7.1.1), so that
/// no port of ours stays in TIME_WAIT.
private final class Visit: WebSocketHandler {
  private let load: ConnectLoad
  private let startedAt: UInt64
  private var closingSince: UInt64 = 0

  init(_ load: ConnectLoad, startedAt: UInt64) {
    self.load = load
    self.startedAt = startedAt
  }

  override func opened(_ connection: WebSocketConnection) {
    closingSince = MonotonicClock.nanoseconds
    load.opened(after: closingSince &- startedAt)
    connection.close()
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    load.closed(after: MonotonicClock.nanoseconds &- closingSince, code, reason)
  }
}
