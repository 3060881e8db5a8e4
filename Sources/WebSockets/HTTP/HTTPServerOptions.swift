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
  /// Certificates and settings of TLS; nil for a server without. A PROXY protocol header comes before TLS.
  public var tls: TLSServerContext?
  /// The fields in which trusted proxies say who the client is. Default `X-Forwarded-For` and its like.
  public var forwardedFields = ForwardedFields.xForwarded
  /// Counts how often limits are met; pass one of your own to read it.
  public var counters = ServerCounters()

  /// The proxies that are believed what they say of their clients, by ``forwardedFields`` and by the PROXY protocol; the
  /// same list as the listener's. Default: none.
  public var trustedProxies: [AddressRange] {
    get { listener.trustedProxies }
    set { listener.trustedProxies = newValue }
  }

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
