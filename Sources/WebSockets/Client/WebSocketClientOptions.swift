import EventLoops
import HTTPCore

/// How a client connects.
public struct WebSocketClientOptions: Sendable {
  /// Limits and heartbeat of the connection.
  public var socket: WebSocketOptions
  /// Further header fields of the request. `Host` takes the place of the URL's; those of the opening handshake itself
  /// (`Upgrade`, `Connection`, `Sec-WebSocket-…`) are refused.
  public var fields: HTTPFields
  /// Cookies to send: names and values without separators (RFC 6265 §4.1.1).
  public var cookies: [(name: String, value: String)]
  /// Subprotocols to offer, the preferred one first.
  public var subprotocols: [String]
  /// The `Origin` to send; browsers send one, programs mostly do not.
  public var origin: String?
  /// The proxy to go through. Default: what the environment says; see ``ProxySetting``.
  public var proxy: ProxySetting
  /// The address of this machine to connect from, with port 0 for any: its family is the only one that is tried then. Nil,
  /// the default, leaves it to the system. Towards one server, some 28,000 connections can come from one address.
  public var localAddress: SocketAddress?
  /// How many redirects are followed; 0 follows none. `Authorization`, cookies and a password of the URL go to the
  /// first origin only. Default 5.
  public var maximumRedirects: Int
  /// How a server behind `wss://` is checked, and more of TLS. What the options name is read once for all connections
  /// with equal options.
  public var tls: TLSClientOptions
  /// The same for the connection to a proxy that is spoken to over TLS (`https://`).
  public var proxyTLS: TLSClientOptions
  /// Time for name look-up, TCP, the proxy and TLS together, in milliseconds, redirects included. Default 10 s.
  public var connectTimeoutMilliseconds: UInt64
  /// Time for the server's answer to the opening handshake, in milliseconds, redirects included. Default 10 s.
  public var handshakeTimeoutMilliseconds: UInt64

  /// Makes options with the defaults.
  public init(
    socket: WebSocketOptions = WebSocketOptions(), fields: HTTPFields = HTTPFields(),
    cookies: [(name: String, value: String)] = [], subprotocols: [String] = [], origin: String? = nil,
    proxy: ProxySetting = .environment, localAddress: SocketAddress? = nil, maximumRedirects: Int = 5,
    tls: TLSClientOptions = TLSClientOptions(), proxyTLS: TLSClientOptions = TLSClientOptions(),
    connectTimeoutMilliseconds: UInt64 = 10_000, handshakeTimeoutMilliseconds: UInt64 = 10_000
  ) {
    self.socket = socket
    self.fields = fields
    self.cookies = cookies
    self.subprotocols = subprotocols
    self.origin = origin
    self.proxy = proxy
    self.localAddress = localAddress
    self.maximumRedirects = maximumRedirects
    self.tls = tls
    self.proxyTLS = proxyTLS
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.handshakeTimeoutMilliseconds = handshakeTimeoutMilliseconds
  }
}
