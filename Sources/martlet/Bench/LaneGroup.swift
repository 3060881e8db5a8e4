import EventLoops

/// The lanes of a benchmark, one a loop, as the command sees them: from outside the loops.
struct LaneGroup: Sendable {
  let lanes: [Lane]
  private let group: EventLoopGroup

  init(_ target: BenchTarget) {
    group = EventLoopGroup(loops: target.loops)
    lanes = group.loops.enumerated().map { index, loop in
      Lane(index: index, loop: loop, target: target)
    }
  }

  /// Opens `count` connections, evenly over the lanes.
  func open(_ count: Int, _ make: @escaping @Sendable (Lane) -> BenchConnection) async {
    let lanes = lanes
    await withTaskGroup(of: Void.self) { group in
      for lane in lanes {
        let share = count / lanes.count + (lane.index < count % lanes.count ? 1 : 0)
        group.addTask {
          await withCheckedContinuation { continuation in
            lane.loop.execute { lane.open(share, { make(lane) }, { continuation.resume() }) }
          }
        }
      }
    }
  }

  func shutdown() { group.shutdown() }

  func closeAll() async {
    await withTaskGroup(of: Void.self) { group in
      for lane in lanes {
        group.addTask {
          await withCheckedContinuation { continuation in
            lane.loop.execute { lane.closeAll { continuation.resume() } }
          }
        }
      }
    }
  }

  /// What `body` says of each lane, on its loop, one after the other.
  func map<Value: Sendable>(_ body: @escaping @Sendable (Lane) -> Value) async -> [Value] {
    var values: [Value] = []
    for lane in lanes { values.append(await value(of: lane) { body(lane) }) }
    return values
  }

  /// What `body` says on the loop of `lane`.
  func value<Value: Sendable>(of lane: Lane, _ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      lane.loop.execute { continuation.resume(returning: body()) }
    }
  }

  var openCount: Int {
    get async { await map(\.openCount).reduce(0, +) }
  }

  var errors: ErrorTally {
    get async { await map(\.errors).reduce(into: ErrorTally()) { $0.merge($1) } }
  }

  var connectTimes: LatencyHistogram {
    get async { await map(\.connectTimes).reduce(into: LatencyHistogram()) { $0.merge($1) } }
  }

  var closeTimes: LatencyHistogram {
    get async { await map(\.closeTimes).reduce(into: LatencyHistogram()) { $0.merge($1) } }
  }
}
