import Synchronization

/// What happened to requests to a backend. Any thread.
public final class BackendCounters: Sendable {
  let requests = Atomic<UInt64>(0)
  let failures = Atomic<UInt64>(0)
  let rejections = Atomic<UInt64>(0)
  let openings = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("backend_requests", requests.load(ordering: .relaxed)),
      ("backend_failures", failures.load(ordering: .relaxed)),
      ("backend_rejections", rejections.load(ordering: .relaxed)),
      ("backend_breaker_openings", openings.load(ordering: .relaxed)),
    ]
  }
}
