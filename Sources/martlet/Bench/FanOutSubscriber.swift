import Glibc
import WebSocketCore
import WebSockets

/// One subscriber: checks that every publication comes once, in order, as it was sent.
class FanOutSubscriber: BenchConnection, @unchecked Sendable {
  let fanOut: FanOutLane
  /// Whether each publication must come: a server may leave out the connection that has sent it.
  let isMember: Bool
  private var expected: UInt64 = 0
  private var hasJoined = false

  init(_ fanOut: FanOutLane, isMember: Bool) {
    self.fanOut = fanOut
    self.isMember = isMember
    super.init(fanOut.lane)
  }

  /// From here on publications are for us.
  final func becameReady() {
    guard !hasJoined else { return }
    hasJoined = true
    fanOut.readyCount += 1
    fanOut.join(isMember: isMember)
  }

  override func ended() {
    guard hasJoined else { return }
    hasJoined = false
    fanOut.leave(isMember: isMember)
  }

  /// `rest` begins with the mark's prefix.
  @inline(__always)
  final func take(_ rest: UnsafeRawBufferPointer, now: UInt64) {
    guard rest.count >= PublicationMark.minimumCount, let start = rest.baseAddress else {
      return lane.errors.add("publications that were cut")
    }
    let mark = PublicationMark(behindPrefix: start + PublicationMark.prefixCount)
    guard mark.number == expected, fanOut.isWhole(rest) else { return takeUnexpected(mark, rest, now: now) }
    expected &+= 1
    fanOut.delivered(mark, now: now, isMember: isMember)
  }

  private func takeUnexpected(_ mark: PublicationMark, _ rest: UnsafeRawBufferPointer, now: UInt64) {
    guard fanOut.isWhole(rest) else {
      return lane.errors.add("publications that were not what had been sent")
    }
    guard mark.number >= expected, mark.number &- expected < UInt64(FanOutLane.window) else {
      return lane.errors.add("publications out of order or twice")
    }
    lane.errors.add("publications lost", Int(mark.number &- expected))
    while expected < mark.number {
      if isMember { fanOut.count(expected, now: now) }
      expected &+= 1
    }
    expected = mark.number &+ 1
    fanOut.delivered(mark, now: now, isMember: isMember)
  }
}

/// A server that sends each message to everybody: the publication is the message.
final class PlainSubscriber: FanOutSubscriber, @unchecked Sendable {
  /// What publications come as; nil where the server decides.
  private let kind: MessageKind?

  init(_ fanOut: FanOutLane, isMember: Bool, kind: MessageKind?) {
    self.kind = kind
    super.init(fanOut, isMember: isMember)
  }

  override func start(_ connection: WebSocketConnection) { becameReady() }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    let now = MonotonicClock.nanoseconds
    let prefix = fanOut.prefix
    let isOurs = prefix.withUnsafeBytes { bytes in
      guard message.count >= bytes.count, let start = message.baseAddress, let other = bytes.baseAddress
      else {
        return false
      }
      return memcmp(start, other, bytes.count) == 0
    }
    // What others publish meanwhile, or the server says to newcomers.
    guard isOurs else { return }
    guard message.count == fanOut.size, self.kind == nil || self.kind == kind else {
      return lane.errors.add("publications of another length or kind than they had been sent with")
    }
    take(message, now: now)
  }
}
