import Glibc
import WebSocketCore

/// What the subscribers of one loop share: counts, times, and which publications have reached them all. Loop-confined.
final class FanOutLane: @unchecked Sendable {
  /// Publications that may be on their way at once; a power of two.
  static let window = 1 << 16

  let lane: Lane
  let prefix: [UInt8]
  let size: Int
  /// What is behind the mark in each publication.
  private let filler: [UInt8]
  /// Subscribers that must get each publication.
  private(set) var members = 0
  /// Subscribers that may.
  private(set) var guests = 0
  private(set) var deliveries: UInt64 = 0
  private(set) var latency = LatencyHistogram()
  var isMeasuring = false
  /// Subscribed, or connected where there is nothing to subscribe to.
  var readyCount = 0
  /// Deliveries of all times, also those that are not measured.
  private(set) var total: UInt64 = 0
  /// By number modulo the window: how many members have it.
  private var reached = [UInt32](repeating: 0, count: window)
  private var hasFirst = false
  /// Told when all members have a publication.
  var completed: (_ number: UInt64, _ time: UInt64) -> Void = { _, _ in }

  init(_ lane: Lane, prefix: [UInt8], size: Int) {
    self.lane = lane
    self.prefix = prefix
    self.size = size
    filler = Array(repeating: PublicationMark.filler, count: max(0, size - PublicationMark.minimumCount))
  }

  /// True the first time.
  func takeFirst() -> Bool {
    defer { hasFirst = true }
    return !hasFirst
  }

  func join(isMember: Bool) {
    if isMember { members += 1 } else { guests += 1 }
  }

  func leave(isMember: Bool) {
    if isMember { members -= 1 } else { guests -= 1 }
  }

  func beginMeasuring() {
    deliveries = 0
    latency = LatencyHistogram()
    isMeasuring = true
  }

  /// Publications that will not arrive any more are not waited for.
  func forget() {
    for index in reached.indices { reached[index] = 0 }
  }

  /// Whether `rest`, which begins with a mark, is the whole publication as it was sent.
  @inline(__always)
  func isWhole(_ rest: UnsafeRawBufferPointer) -> Bool {
    guard rest.count >= size, let start = rest.baseAddress else { return false }
    return filler.withUnsafeBytes { bytes in
      bytes.baseAddress.map { memcmp(start + PublicationMark.minimumCount, $0, bytes.count) == 0 } ?? true
    }
  }

  /// A subscriber got a publication, the next one that it expected.
  @inline(__always)
  func delivered(_ mark: PublicationMark, now: UInt64, isMember: Bool) {
    total &+= 1
    if isMeasuring {
      deliveries &+= 1
      latency.record(now &- mark.time)
    }
    if isMember { count(mark.number, now: now) }
  }

  /// A member has a publication, or will never have it.
  @inline(__always)
  func count(_ number: UInt64, now: UInt64) {
    let slot = Int(truncatingIfNeeded: number) & (Self.window - 1)
    reached[slot] &+= 1
    guard reached[slot] >= UInt32(truncatingIfNeeded: members) else { return }
    reached[slot] = 0
    completed(number, now)
  }
}
