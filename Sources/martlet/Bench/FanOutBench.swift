import EventLoops
import WebSocketCore
import WebSockets

/// `martlet bench fanout`: each publication to every connection.
struct FanOutBench: Sendable {
  /// How long nothing may arrive before publications are given up, in seconds.
  private static let patienceSeconds = 5
  private static let subscribeSeconds = 10.0

  private let target: BenchTarget
  private let options: FanOutOptions
  private let interruption: Interruption
  private let group: LaneGroup
  private let fanOuts: [FanOutLane]
  private let publisher: FanOutPublisher
  private let http: HTTPPublisher?

  init(_ target: BenchTarget, _ options: FanOutOptions, _ interruption: Interruption) {
    self.target = target
    self.options = options
    self.interruption = interruption
    group = LaneGroup(target)
    let prefix = PublicationMark.prefix(run: UInt16.random(in: 0...UInt16.max))
    fanOuts = group.lanes.map { FanOutLane($0, prefix: prefix, size: target.size) }
    let first = group.lanes[0]
    let http = options.publish.map { [options] in
      HTTPPublisher(first.loop, $0.server, target: $0.target, key: options.apiKey)
    }
    self.http = http
    let sender = PublicationSender(
      lane: first, options: options, kind: target.sendsText ? .text : .binary, http: http)
    publisher = FanOutPublisher(first.loop, prefix: prefix, size: target.size, depth: target.depth) {
      sender.send($0)
    }
  }

  func run() async throws(Problem) -> BenchResult {
    var result = BenchResult("fanout", target)
    defer { group.shutdown() }
    let memoryBefore = target.server?.residentKiB ?? 0
    result.connections = try await open()
    try await subscribe(result.connections)
    await begin()
    let isWarm = await interruption.wait(seconds: Double(target.warmupSeconds)) { _ in
      Terminal.progress("warming up")
      return await group.openCount > 0
    }
    if isWarm { await measure(&result) }
    await end()
    if let server = target.server, result.server != nil {
      result.server?.bytesPerConnection =
        Double(server.residentKiB - memoryBefore) * 1_024 / Double(max(1, result.connections))
    }
    await BenchSteps.close(group, interruption)
    await collect(&result)
    return result
  }

  // MARK: Connections

  private func open() async throws(Problem) -> Int {
    let greeting = CentrifugoSubscriber.greeting(channel: options.channel, token: options.token)
    let publishesOverSocket = options.publish == nil
    let kind: MessageKind = target.sendsText ? .text : .binary
    return try await BenchSteps.open(group, target, interruption) { [options, fanOuts] lane in
      let fanOut = fanOuts[lane.index]
      switch options.wire {
      case .centrifugo: return CentrifugoSubscriber(fanOut, greeting: greeting)
      case .plain:
        // The very first connection publishes; whether it gets its own messages is the server's choice.
        let isSender = publishesOverSocket && lane.index == 0 && fanOut.takeFirst()
        return PlainSubscriber(fanOut, isMember: !isSender, kind: publishesOverSocket ? kind : nil)
      }
    }
  }

  private func subscribe(_ count: Int) async throws(Problem) {
    let deadline = MonotonicClock.nanoseconds + UInt64(Self.subscribeSeconds * 1e9)
    while await ready() < count {
      let errors = await group.errors
      guard MonotonicClock.nanoseconds < deadline, errors.count == 0, !interruption.hasCome else {
        let reason = errors.kinds.first?.text ?? "no answer in \(Int(Self.subscribeSeconds)) s"
        throw .failure(
          "only \(await ready()) of \(count) could subscribe to \(quoted(options.channel)): \(reason)")
      }
      Terminal.progress("\(await ready()) of \(count) subscribed")
      try? await Task.sleep(for: .milliseconds(20))
    }
    Terminal.progress("")
  }

  private func ready() async -> Int {
    await group.map { [fanOuts] lane in fanOuts[lane.index].readyCount }.reduce(0, +)
  }

  // MARK: Publications

  private func begin() async {
    let first = group.lanes[0].loop
    _ = await group.map { [fanOuts, publisher] lane in
      fanOuts[lane.index].completed = { number, time in
        if lane.index == 0 {
          publisher.reached(number, at: time)
        } else {
          first.execute { publisher.reached(number, at: time) }
        }
      }
    }
    let loops = await group.map { [fanOuts] lane in fanOuts[lane.index].members > 0 }.filter(\.self).count
    await group.value(of: group.lanes[0]) { [publisher, target] in
      publisher.begin(rate: target.rate, loops: loops)
    }
  }

  private func measure(_ result: inout BenchResult) async {
    let meter = Meter(target.server)
    await onFirstLoop { publisher in publisher.beginMeasuring() }
    _ = await group.map { [fanOuts] lane in fanOuts[lane.index].beginMeasuring() }
    var sampler = Sampler()
    var silence = Silence()
    await interruption.wait(seconds: Double(target.seconds)) { seconds in
      let counts = await group.map { [fanOuts] lane in
        (fanOuts[lane.index].deliveries, fanOuts[lane.index].total, lane.openCount)
      }
      sampler.add(counts.map(\.0).reduce(0, +), at: seconds)
      sampler.show("deliveries", of: target.seconds)
      if silence.lasts(Self.patienceSeconds, counts.map(\.1).reduce(0, +)) { await giveUp() }
      return counts.contains { $0.2 > 0 }
    }
    meter.read(into: &result)
    let deliveries = await group.map { [fanOuts] lane in
      fanOuts[lane.index].isMeasuring = false
      return fanOuts[lane.index].deliveries
    }.reduce(0, +)
    await onFirstLoop { publisher in publisher.end() }
    if await group.openCount == 0 {
      result.notes.append("every connection was lost; the measurement ended there")
    }
    result.samples = sampler.samples
    result.counted = .init(
      name: "deliveries", unit: "delivery", count: deliveries,
      perSecond: Double(deliveries) / max(result.seconds, 1e-9))
  }

  private func giveUp() async {
    _ = await group.map { [fanOuts] lane in fanOuts[lane.index].forget() }
    await onFirstLoop { publisher in publisher.giveUp(after: Self.patienceSeconds) }
  }

  /// Waits for the publications that are on their way.
  private func end() async {
    await onFirstLoop { publisher in publisher.end() }
    var silence = Silence()
    while await onFirstLoop({ $0.outstanding }) > 0, !interruption.hasCome, await group.openCount > 0 {
      let total = await group.map { [fanOuts] lane in fanOuts[lane.index].total }.reduce(0, +)
      if silence.lasts(Self.patienceSeconds, total) { return await giveUp() }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  @discardableResult
  private func onFirstLoop<Value: Sendable>(
    _ body: @escaping @Sendable (FanOutPublisher) -> Value
  ) async -> Value {
    await group.value(of: group.lanes[0]) { [publisher] in body(publisher) }
  }

  private func collect(_ result: inout BenchResult) async {
    var latency = LatencyHistogram()
    for times in await group.map({ [fanOuts] lane in fanOuts[lane.index].latency }) { latency.merge(times) }
    result.latency = TimeSummary(latency)
    let (lastDelivery, count, errors) = await onFirstLoop { ($0.lastDelivery, $0.count, $0.errors) }
    result.lastDelivery = TimeSummary(lastDelivery)
    result.publications = count
    result.errors.merge(errors)
    if let http {
      result.errors.merge(
        await group.value(of: group.lanes[0]) {
          http.close()
          return http.errors
        })
    }
    await BenchSteps.collect(group, &result)
  }
}

/// Notices that nothing more arrives.
private struct Silence {
  private var last: (count: UInt64, time: UInt64)?

  /// Whether `count` has stayed the same for so many seconds; then it begins anew.
  mutating func lasts(_ seconds: Int, _ count: UInt64) -> Bool {
    let now = MonotonicClock.nanoseconds
    guard let last, last.count == count else {
      self.last = (count, now)
      return false
    }
    guard now - last.time >= UInt64(seconds) * 1_000_000_000 else { return false }
    self.last = (count, now)
    return true
  }
}

/// The way a publication takes to the server. Loop-confined.
private final class PublicationSender: @unchecked Sendable {
  private let lane: Lane
  private let options: FanOutOptions
  private let kind: MessageKind
  private let http: HTTPPublisher?
  /// 1 and 2 were the commands that connect and subscribe.
  private var commandID: UInt64 = 2

  init(lane: Lane, options: FanOutOptions, kind: MessageKind, http: HTTPPublisher?) {
    self.lane = lane
    self.kind = kind
    self.options = options
    self.http = http
  }

  func send(_ payload: [UInt8]) -> Bool {
    if let http {
      http.publish(options.apiKey == nil ? payload : options.apiRequest(payload))
      return true
    }
    guard let socket = sender else { return false }
    switch options.wire {
    case .plain: return payload.withUnsafeBytes { socket.send($0, kind) }
    case .centrifugo:
      commandID += 1
      return options.command(id: commandID, payload).withUnsafeBytes { socket.send($0, .text) }
    }
  }

  /// With plain messages the one that is not waited for; else the first.
  private var sender: WebSocketConnection? {
    for connection in lane.connections {
      guard let subscriber = connection as? FanOutSubscriber, let socket = subscriber.socket else { continue }
      if options.wire == .centrifugo || !subscriber.isMember { return socket }
    }
    return nil
  }
}
