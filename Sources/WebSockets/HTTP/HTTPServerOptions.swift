import HTTPCore
import Transport

/// Limits and deadlines of an HTTP server.
public struct HTTPServerOptions: Sendable {
  /// Limits of request heads and bodies.
  public var limits: HTTPLimits
  /// Time for a request to arrive whole, in milliseconds, counted from its first byte (from the accept for the first
  /// request): slower ones get 408. Default 10 s.
  public var requestTimeoutMilliseconds: UInt64
  /// How long a kept-alive connection may stay without a request, in milliseconds. Default 75 s.
  public var idleTimeoutMilliseconds: UInt64
  /// How the server listens, and whom it lets in.
  public var listener: ListenerOptions
  /// Counts how often limits are met; pass one of your own to read it.
  public var counters = ServerCounters()

  /// Makes options with the defaults of docs/limits.md.
  public init(
    limits: HTTPLimits = HTTPLimits(),
    requestTimeoutMilliseconds: UInt64 = 10_000,
    idleTimeoutMilliseconds: UInt64 = 75_000,
    listener: ListenerOptions = ListenerOptions()
  ) {
    self.limits = limits
    self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
    self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
    self.listener = listener
  }
}
