import EventLoops
import Glibc
import WebSocketCore
import WebSockets

/// What the echoing connections of one loop share: the message, the counts, the pace. Loop-confined.
final class EchoLoad: @unchecked Sendable {
  let depth: Int
  let size: Int
  let kind: MessageKind
  /// The message that is sent: a number in its first bytes, a pattern behind it.
  private let message: UnsafeMutableRawBufferPointer
  /// Instead of it, with `--text`: messages that take turns, one behind the other.
  private let texts: [UInt8]
  var latency = LatencyHistogram()
  /// Replies within the time that is measured.
  var completed: UInt64 = 0
  var isMeasuring = false
  var isSending = false
  var mismatches = 0
  var unexpected = 0
  /// Connections made so far.
  var connectionCount = 0
  private let lane: Lane
  private let connections: () -> [EchoConnection]
  // Only with a rate:
  private(set) var pacer: Pacer?
  private var measuredFrom = UInt64.max
  private var measuredUntil = UInt64.max

  init(_ lane: Lane, size: Int, depth: Int, sendsText: Bool) {
    self.lane = lane
    self.size = size
    self.depth = depth
    kind = sendsText ? .text : .binary
    texts = sendsText ? SampleText.messages(size: size).flatMap(\.self) : []
    message = .allocate(byteCount: max(size, 8), alignment: 8)
    for index in message.indices { message[index] = UInt8(truncatingIfNeeded: index &* 31) }
    connections = { lane.connections.compactMap { $0 as? EchoConnection } }
  }

  deinit { message.deallocate() }

  // MARK: The run

  /// Sends the first messages: `depth` on each connection, or by a schedule of `rate` messages a second.
  func begin(rate: Double?) {
    isSending = true
    let connections = connections()
    guard let rate, !connections.isEmpty else {
      return connections.forEach { $0.fill() }
    }
    for (index, connection) in connections.enumerated() { connection.scheduledIndex = index }
    let pacer = Pacer(lane.loop, rate: rate, connections: connections.count) { connections[$0].becameDue() }
    self.pacer = pacer
    pacer.start()
  }

  func beginMeasuring() {
    completed = 0
    isMeasuring = true
    measuredFrom = MonotonicClock.nanoseconds
  }

  /// Replies that come later still count where they were due before, with a schedule.
  func endMeasuring() {
    isMeasuring = false
    endSending()
    measuredUntil = MonotonicClock.nanoseconds
  }

  func endSending() {
    isSending = false
    pacer?.stop()
  }

  /// Messages that have been sent, or were due, and not been answered.
  var unanswered: Int { connections().map(\.unanswered).reduce(0, +) }

  // MARK: Each message

  @inline(__always)
  func count(sentAt: UInt64, now: UInt64) {
    if isMeasuring { completed &+= 1 }
    if pacer == nil {
      if isMeasuring { latency.record(now &- sentAt) }
    } else if sentAt >= measuredFrom, sentAt < measuredUntil {
      latency.record(now &- sentAt)
    }
  }

  /// The message that has this number.
  @inline(__always)
  func withMessage<Value>(_ number: UInt64, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    if kind == .text {
      let start = Int(truncatingIfNeeded: number % UInt64(SampleText.count)) * size
      return texts.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<start + size])) }
    }
    message.storeBytes(of: number.littleEndian, as: UInt64.self)
    return body(UnsafeRawBufferPointer(rebasing: message[..<size]))
  }

  /// Length, kind and content.
  @inline(__always)
  func check(_ reply: UnsafeRawBufferPointer, _ kind: MessageKind, _ number: UInt64) {
    guard reply.count == size, kind == self.kind else { return mismatches += 1 }
    guard let start = reply.baseAddress else { return }
    let isSame = withMessage(number) { expected in
      expected.baseAddress.map { memcmp(start, $0, size) == 0 } ?? true
    }
    if !isSame { mismatches += 1 }
  }
}

/// One connection that sends messages and takes them back.
final class EchoConnection: BenchConnection, @unchecked Sendable {
  private let load: EchoLoad
  /// When each message in flight was sent, or was due, as a ring.
  private let sentAt: UnsafeMutablePointer<UInt64>
  private var head = 0
  private var tail = 0
  private var sent: UInt64
  private var received: UInt64
  private var inFlight = 0
  /// Messages that are due and could not leave yet.
  private var owed = 0
  private var scheduled: UInt64 = 0
  var scheduledIndex = 0

  init(_ lane: Lane, _ load: EchoLoad) {
    self.load = load
    sentAt = .allocate(capacity: load.depth)
    // Each connection has numbers of its own, so that a reply to another one is seen.
    load.connectionCount += 1
    sent = UInt64(lane.index) << 56 | UInt64(load.connectionCount) << 32
    received = sent
    super.init(lane)
  }

  deinit { sentAt.deallocate() }

  var unanswered: Int { socket == nil ? 0 : inFlight + owed }

  func fill() {
    while inFlight < load.depth, send(at: MonotonicClock.nanoseconds) {}
  }

  func becameDue() {
    owed += 1
    sendOwed()
  }

  private func sendOwed() {
    while owed > 0, inFlight < load.depth, let pacer = load.pacer,
      send(at: pacer.schedule.due(connection: scheduledIndex, number: scheduled))
    {
      owed -= 1
      scheduled += 1
    }
  }

  @discardableResult
  @inline(__always)
  private func send(at time: UInt64) -> Bool {
    guard let socket, load.withMessage(sent, { socket.send($0, load.kind) }) else { return false }
    sent &+= 1
    inFlight += 1
    sentAt[head] = time
    head = head + 1 == load.depth ? 0 : head + 1
    return true
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    guard inFlight > 0 else { return load.unexpected += 1 }
    let now = MonotonicClock.nanoseconds
    load.check(message, kind, received)
    load.count(sentAt: sentAt[tail], now: now)
    received &+= 1
    inFlight -= 1
    tail = tail + 1 == load.depth ? 0 : tail + 1
    if load.pacer != nil {
      if owed > 0 { sendOwed() }
    } else if load.isSending {
      send(at: now)
    }
  }
}
