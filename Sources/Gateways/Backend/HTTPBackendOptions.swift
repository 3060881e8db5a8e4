import HTTPCore
import WebSockets

/// What a session asks a backend of.
public enum BackendEvent: String, Sendable, CaseIterable {
  case connect, refresh, subscribe
  case subscriptionRefresh = "sub_refresh"
  case publish, rpc
}

/// Where and how a backend is asked.
public struct HTTPBackendOptions: Sendable {
  /// The URLs (`http` or `https`) by event; an event without one is not asked about.
  public var endpoints: [BackendEvent: WebURL] = [:]
  /// The namespaces whose subscriptions and publications the backend decides on; `""` is the one of channels without a
  /// namespace, nil all of them.
  public var namespaces: Set<String>?
  /// The time for an answer, in milliseconds.
  public var timeoutMilliseconds: UInt64 = 3_000
  /// Names of fields of the client's request that are passed on, in lower case.
  public var passedHeaders: [String] = []
  /// Fields that every request to the backend has, such as a key.
  public var fields = HTTPFields()
  /// Whether requests carry what the token or the connect answer said for the backend alone (`meta`).
  public var includesMeta = false
  /// The most requests under way, on all loops together; more wait.
  public var maximumConcurrency = 256
  /// The most requests that wait on a loop; one more is answered as if the backend were out of order.
  public var maximumWaiting = 1_024
  /// Failures in a row that open the circuit breaker of an event, on a loop; 0 never.
  public var breakerThreshold = 10
  /// How long the breaker stays open, in milliseconds.
  public var breakerPauseMilliseconds: UInt64 = 5_000
  /// The longest answer, in bytes.
  public var maximumAnswerBytes = 1 << 20
  /// How the backend is trusted.
  public var tls = TLSClientOptions()
  /// Where failures are noted; nil: nowhere.
  public var log: ServerLog?

  /// Makes options that ask nobody.
  public init() {}
}
