/// How long the way to the peer and back takes, in milliseconds.
public struct RoundTripTime: Sendable, Hashable {
  /// Of the last ping that was answered.
  public let lastMilliseconds: UInt64
  /// Smoothed: each measurement counts for an eighth (RFC 6298 §2).
  public let smoothedMilliseconds: Double
}

/// Matches pongs with the pings that they answer. A value: times are milliseconds of any clock that does not go back.
struct RoundTripMeter {
  /// Pings that are remembered; an older one's pong is too late to say anything.
  private static let maximumPending = 16

  private var sequence: UInt64 = 0
  private var pending: [(sequence: UInt64, sentAt: UInt64)] = []
  private(set) var time: RoundTripTime?

  /// A ping goes out now; its payload is this number, big-endian.
  mutating func ping(now: UInt64) -> UInt64 {
    sequence &+= 1
    if pending.count == Self.maximumPending { pending.removeFirst() }
    pending.append((sequence, now))
    return sequence
  }

  /// A pong came. RFC 6455 §5.5.3: an endpoint may answer "only the most recently processed Ping frame", so it
  /// answers those before, too. Pongs that answer no ping are ignored.
  mutating func pong(_ payload: UnsafeRawBufferPointer, now: UInt64) {
    guard payload.count == 8 else { return }
    let sequence = UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self))
    guard let index = pending.firstIndex(where: { $0.sequence == sequence }) else { return }
    let sentAt = pending[index].sentAt
    pending.removeSubrange(...index)
    let last = now > sentAt ? now - sentAt : 0
    let smoothed = time.map { $0.smoothedMilliseconds + (Double(last) - $0.smoothedMilliseconds) / 8 }
    time = RoundTripTime(lastMilliseconds: last, smoothedMilliseconds: smoothed ?? Double(last))
  }

  /// The connection is another one: what is under way on the old one will not be answered.
  mutating func forgetPending() { pending = [] }
}
