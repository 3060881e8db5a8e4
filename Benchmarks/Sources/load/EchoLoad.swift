import Glibc
import WebSocketCore
import WebSockets

/// Sends `depth` messages on each connection and one more for each that comes back. Lives on one loop.
final class EchoLoad: WebSocketHandler, @unchecked Sendable {
  /// Per connection: when each message in flight was sent, as a ring.
  final class InFlight {
    var sentAt: [UInt64]
    var next = 0
    /// The number of the message that comes back next, and of the one that is sent next.
    var received = 0
    var sent = 0
    init(depth: Int) { sentAt = Array(repeating: 0, count: depth) }
  }

  private let payloads: [[UInt8]]
  private let kind: MessageKind
  private let depth: Int
  private(set) var count = 0
  private(set) var errors = 0
  var isMeasuring = false {
    didSet { if isMeasuring { count = 0 } }
  }
  /// Round-trip times in ns, by bucket of 1/32 of an octave.
  private(set) var histogram = [Int](repeating: 0, count: 64 * 32)
  var isStopping = false

  init(size: Int, depth: Int, sendsText: Bool) {
    // As many different texts as do not fit in a compressor's window.
    payloads =
      sendsText
      ? SampleText.messages(128, size: size) : [(0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }]
    kind = sendsText ? .text : .binary
    self.depth = depth
  }

  override func opened(_ connection: WebSocketConnection) {
    let inFlight = InFlight(depth: depth)
    connection.attachment = inFlight
    for _ in 0..<depth { send(connection, inFlight) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    guard let inFlight = connection.attachment as? InFlight else { return }
    if kind != self.kind || !matches(message, payloads[inFlight.received]) { errors += 1 }
    inFlight.received = (inFlight.received + 1) % payloads.count
    if isMeasuring {
      count += 1
      histogram[bucket(nanoseconds() - inFlight.sentAt[inFlight.next])] += 1
    }
    if !isStopping { send(connection, inFlight) }
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    if !isStopping { errors += 1 }
  }

  /// The round-trip time in µs below which the given part of the messages stayed.
  func percentile(_ part: Double) -> Double {
    var rest = Int(Double(count) * part)
    for (index, number) in histogram.enumerated() where number > 0 {
      rest -= number
      if rest <= 0 { return exp2(Double(index) / 32) / 1_000 }
    }
    return 0
  }

  private func send(_ connection: WebSocketConnection, _ inFlight: InFlight) {
    inFlight.sentAt[inFlight.next] = nanoseconds()
    inFlight.next = (inFlight.next + 1) % depth
    _ = payloads[inFlight.sent].withUnsafeBytes { connection.send($0, kind) }
    inFlight.sent = (inFlight.sent + 1) % payloads.count
  }

  private func matches(_ message: UnsafeRawBufferPointer, _ payload: [UInt8]) -> Bool {
    guard message.count == payload.count else { return false }
    guard let base = message.baseAddress else { return true }
    return payload.withUnsafeBytes { bytes in bytes.baseAddress.map { memcmp($0, base, bytes.count) } == 0 }
  }

  private func bucket(_ nanoseconds: UInt64) -> Int {
    min(histogram.count - 1, Int(log2(Double(max(1, nanoseconds))) * 32))
  }
}

/// Monotonic time in ns.
func nanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
