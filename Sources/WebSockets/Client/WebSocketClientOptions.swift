import HTTPCore

/// How a client connects.
public struct WebSocketClientOptions: Sendable {
  /// Limits and heartbeat of the connection.
  public var socket: WebSocketOptions
  /// Further header fields of the request.
  public var fields: HTTPFields
  /// Subprotocols to offer, the preferred one first.
  public var subprotocols: [String]
  /// The `Origin` to send; browsers send one, programs mostly do not.
  public var origin: String?
  /// The proxy to go through. Default: what the environment says; see ``ProxySetting``.
  public var proxy: ProxySetting
  /// Time for name look-up, TCP and the proxy together, in milliseconds. Default 10 s.
  public var connectTimeoutMilliseconds: UInt64
  /// Time for the server's answer to the opening handshake, in milliseconds. Default 10 s.
  public var handshakeTimeoutMilliseconds: UInt64

  /// Makes options with the defaults.
  public init(
    socket: WebSocketOptions = WebSocketOptions(), fields: HTTPFields = HTTPFields(),
    subprotocols: [String] = [], origin: String? = nil, proxy: ProxySetting = .environment,
    connectTimeoutMilliseconds: UInt64 = 10_000,
    handshakeTimeoutMilliseconds: UInt64 = 10_000
  ) {
    self.socket = socket
    self.fields = fields
    self.subprotocols = subprotocols
    self.origin = origin
    self.proxy = proxy
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.handshakeTimeoutMilliseconds = handshakeTimeoutMilliseconds
  }
}
