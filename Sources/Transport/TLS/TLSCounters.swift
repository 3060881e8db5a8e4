import Synchronization

/// What became of the TLS handshakes of a server, since it was made. Any thread.
public final class TLSCounters: Sendable {
  let handshakes = Atomic<UInt64>(0)
  let resumed = Atomic<UInt64>(0)
  let failed = Atomic<UInt64>(0)
  let timedOut = Atomic<UInt64>(0)
  let refused = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("tls_handshakes", handshakes.load(ordering: .relaxed)),
      ("tls_resumed", resumed.load(ordering: .relaxed)),
      ("tls_failed", failed.load(ordering: .relaxed)),
      ("tls_timeouts", timedOut.load(ordering: .relaxed)),
      ("tls_refused", refused.load(ordering: .relaxed)),
    ]
  }
}

extension Atomic<UInt64> {
  /// Counts one.
  func count() { wrappingAdd(1, ordering: .relaxed) }
}
