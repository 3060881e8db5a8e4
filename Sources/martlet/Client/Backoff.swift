/// How long to wait before the next attempt to connect: exponential with full jitter, so that the clients of a server
/// that restarts do not all come back at once.
struct Backoff: Sendable {
  private(set) var attempts = 0
  let minimumMilliseconds: UInt64
  let maximumMilliseconds: UInt64

  init(minimumMilliseconds: UInt64 = 500, maximumMilliseconds: UInt64 = 20_000) {
    self.minimumMilliseconds = minimumMilliseconds
    self.maximumMilliseconds = maximumMilliseconds
  }

  /// From 0 to `minimum * 2^attempts`, at most the maximum.
  mutating func next(using random: inout some RandomNumberGenerator) -> UInt64 {
    let ceiling = min(maximumMilliseconds, minimumMilliseconds << UInt64(min(attempts, 20)))
    attempts += 1
    return UInt64.random(in: 0...ceiling, using: &random)
  }

  mutating func reset() { attempts = 0 }
}
