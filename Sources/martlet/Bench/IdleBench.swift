import WebSocketCore
import WebSockets

/// `martlet bench idle`: what a connection costs that does nothing.
struct IdleBench: Sendable {
  private static let replySeconds = 10.0
  /// What is freed or grows a little later than the last connection, in seconds.
  private static let settleSeconds = 0.5

  private let target: BenchTarget
  /// Connections at the first of the two points between which the memory's slope is taken.
  private let baseline: Int
  private let greetings: [String]
  private let interruption: Interruption
  private let group: LaneGroup
  private let counters: [IdleCounter]

  init(_ target: BenchTarget, baseline: Int, greetings: [String], _ interruption: Interruption) {
    self.target = target
    self.baseline = min(baseline, target.connections / 2)
    self.greetings = greetings
    self.interruption = interruption
    group = LaneGroup(target)
    counters = group.lanes.map { _ in IdleCounter() }
  }

  func run() async throws(Problem) -> BenchResult {
    var result = BenchResult("idle", target)
    defer { group.shutdown() }
    point(&result, connections: 0)
    let meter = Meter(target.server)
    for count in [baseline, target.connections - baseline] where count > 0 {
      result.connections = try await BenchSteps.open(group, target, interruption, count: count) {
        [greetings, counters] lane in
        IdleConnection(lane, counters[lane.index], greetings)
      }
      await hearReplies(result.connections, &result)
      meter.read(into: &result)
      await interruption.wait(seconds: Self.settleSeconds)
      point(&result, connections: result.connections)
    }
    result.counted = .init(
      name: "handshakes", unit: "handshake", count: UInt64(result.connections),
      perSecond: Double(result.connections) / max(result.seconds, 1e-9))
    await hold(&result)
    result.server?.bytesPerConnection = MemoryPoint.slope(result.memory)
    await BenchSteps.close(group, interruption)
    await BenchSteps.collect(group, &result)
    return result
  }

  private func point(_ result: inout BenchResult, connections: Int) {
    guard let server = target.server else { return }
    result.memory.append(.init(connections: connections, residentKiB: server.residentKiB))
  }

  private func hearReplies(_ connections: Int, _ result: inout BenchResult) async {
    guard !greetings.isEmpty else { return }
    var heard = 0
    await interruption.wait(seconds: Self.replySeconds) { _ in
      heard = await group.map { [counters] lane in counters[lane.index].greeted }.reduce(0, +)
      return heard < connections
    }
    result.errors.add("connections that had no answer to the greeting", connections - heard)
  }

  private func hold(_ result: inout BenchResult) async {
    await interruption.wait(seconds: Double(target.seconds)) { seconds in
      let open = await group.openCount
      Terminal.progress("\(open) connections idle, \(Int(seconds)) of \(target.seconds) s")
      return open > 0
    }
    Terminal.progress("")
    if let server = target.server { result.server?.residentKiB = server.residentKiB }
  }
}

/// Memory of the server with so many connections.
struct MemoryPoint: Sendable, Equatable {
  var connections: Int
  var residentKiB: Int

  /// Bytes a connection between the last two points, so that the program itself does not count; nil without them.
  static func slope(_ points: [MemoryPoint]) -> Double? {
    guard let last = points.last, let first = points.dropLast().last, last.connections > first.connections
    else {
      return nil
    }
    return Double(last.residentKiB - first.residentKiB) * 1_024 / Double(last.connections - first.connections)
  }
}

/// Loop-confined.
private final class IdleCounter: @unchecked Sendable {
  var greeted = 0
}

/// Says its greetings, answers the Centrifugo protocol's pings, and nothing else.
private final class IdleConnection: BenchConnection, @unchecked Sendable {
  private let counter: IdleCounter
  private let greetings: [String]
  private var isGreeted = false

  init(_ lane: Lane, _ counter: IdleCounter, _ greetings: [String]) {
    self.counter = counter
    self.greetings = greetings
    super.init(lane)
  }

  override func start(_ connection: WebSocketConnection) {
    for greeting in greetings { connection.send(greeting) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    if message.elementsEqual("{}".utf8) {
      connection.send("{}")
    } else if !isGreeted {
      isGreeted = true
      counter.greeted += 1
    }
  }
}
