import EventLoops

/// Publishes, one after the other or by a schedule, and hears which publications have reached everybody. Lives on the
/// first loop.
final class FanOutPublisher: @unchecked Sendable {
  private struct Publication {
    var time: UInt64 = 0
    /// Loops all of whose members have it.
    var loops = 0
    /// When the last member so far got it.
    var reachedAt: UInt64 = 0
  }

  private let loop: EventLoop
  private let prefix: [UInt8]
  /// Sends one publication; false if it could not be sent.
  private let send: ([UInt8]) -> Bool
  private let depth: Int
  private var payload: [UInt8]
  private var next: UInt64 = 0
  /// Those before have reached everybody, or were given up.
  private var firstOpen: UInt64 = 0
  private var publications = [Publication](repeating: Publication(), count: FanOutLane.window)
  private(set) var outstanding = 0
  /// Loops that have members.
  private var loopCount = 1
  private var pacer: Pacer?
  private var owed: UInt64 = 0
  private var scheduled: UInt64 = 0
  private var isSending = false
  private var measuredFrom = UInt64.max
  private var measuredUntil = UInt64.max
  /// Publications within the measured time.
  private(set) var count: UInt64 = 0
  private(set) var lastDelivery = LatencyHistogram()
  private(set) var errors = ErrorTally()

  init(_ loop: EventLoop, prefix: [UInt8], size: Int, depth: Int, send: @escaping ([UInt8]) -> Bool) {
    self.loop = loop
    self.prefix = prefix
    self.send = send
    self.depth = min(depth, FanOutLane.window / 2)
    payload = Array(repeating: PublicationMark.filler, count: size)
  }

  /// - Parameter loops: how many loops have members.
  func begin(rate: Double?, loops: Int) {
    isSending = true
    loopCount = loops
    if let rate {
      let pacer = Pacer(loop, rate: rate, connections: 1) { [unowned self] _ in
        owed += 1
        publishMore()
      }
      self.pacer = pacer
      pacer.start()
    } else {
      publishMore()
    }
  }

  func beginMeasuring() { measuredFrom = MonotonicClock.nanoseconds }

  func end() {
    isSending = false
    pacer?.stop()
    if measuredUntil == .max { measuredUntil = MonotonicClock.nanoseconds }
    errors.add("publications that were due and had not left at the end", Int(owed))
    owed = 0
  }

  /// All members on one loop have a publication.
  func reached(_ number: UInt64, at time: UInt64) {
    guard number >= firstOpen, number < next else { return }
    let slot = Int(truncatingIfNeeded: number) & (FanOutLane.window - 1)
    publications[slot].loops += 1
    publications[slot].reachedAt = max(publications[slot].reachedAt, time)
    guard publications[slot].loops == loopCount else { return }
    let publishedAt = publications[slot].time
    if publishedAt >= measuredFrom, publishedAt < measuredUntil {
      lastDelivery.record(publications[slot].reachedAt &- publishedAt)
    }
    outstanding -= 1
    // Later, so that a server that answers at once does not nest publications without end.
    loop.execute { self.publishMore() }
  }

  /// What is on its way will not arrive any more.
  func giveUp(after seconds: Int) {
    errors.add("publications that had not reached everybody after \(seconds) s", outstanding)
    outstanding = 0
    firstOpen = next
    publishMore()
  }

  private func publishMore() {
    if let pacer {
      while owed > 0, outstanding < FanOutLane.window / 2,
        publish(at: pacer.schedule.due(connection: 0, number: scheduled))
      {
        owed -= 1
        scheduled += 1
      }
    } else {
      while isSending, outstanding < depth, publish(at: MonotonicClock.nanoseconds) {}
    }
  }

  private func publish(at time: UInt64) -> Bool {
    PublicationMark(number: next, time: time).write(prefix: prefix, into: &payload)
    publications[Int(truncatingIfNeeded: next) & (FanOutLane.window - 1)] = Publication(time: time)
    // Before sending: over the same loop a reply may come at once.
    next += 1
    outstanding += 1
    guard send(payload) else {
      next -= 1
      outstanding -= 1
      if isSending { errors.add("publications that could not be sent") }
      isSending = false
      pacer?.stop()
      return false
    }
    if time >= measuredFrom, time < measuredUntil { count += 1 }
    return true
  }
}
