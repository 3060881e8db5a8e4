import EventLoops

/// How a listener listens, and whom it lets in.
public struct ListenerOptions: Sendable {
  /// The length of the kernel's queue of connections that wait to be accepted; the kernel caps it at
  /// `net.core.somaxconn`. Default 4,096.
  public var backlog: Int32 = 4_096

  /// Probes of TCP connections on which nothing is sent; nil for none. Default: after 60 s, every 15 s, 4 times, so
  /// that a peer that vanished is noticed after 2 minutes. Accepted connections have it from the listening socket, so
  /// that it costs them no system call. Unix sockets have no use for it.
  public var tcpKeepalive: TCPKeepalive? = TCPKeepalive()

  /// How long what was sent may stay unacknowledged, or the peer's window closed, before the kernel breaks a TCP
  /// connection, in milliseconds (TCP_USER_TIMEOUT); 0 leaves it to the kernel, which takes about 15 minutes. Default 0:
  /// the pings of WebSockets and the deadlines of HTTP notice such peers sooner, and a client that pauses its reading
  /// for long is not cut. Where it is set, the kernel ends keepalive by this time, too, instead of by the number of
  /// probes.
  public var tcpUserTimeoutMilliseconds: UInt32 = 0

  /// How many connections may be open at once on all loops together; nil for as many as there are descriptors. Default
  /// nil.
  public var maximumConnections: Int?

  /// How many connections may be open at once from one IPv4 address, or from one /64 network of IPv6 addresses; nil for
  /// any number. Connections over Unix sockets and of trusted proxies that do not name the client are not counted.
  /// Default nil: many clients may share an address.
  public var maximumConnectionsPerAddress: Int?

  /// Whether connections begin with a header of the PROXY protocol (version 1 or 2), which names the client. Default
  /// off.
  public var proxyProtocol = ProxyProtocolSetting.off

  /// The proxies that are believed what they say of their clients, in the PROXY protocol and in HTTP fields; their own
  /// connections are not counted by address. Default: none.
  public var trustedProxies: [AddressRange] = []

  /// The time that a trusted proxy has to send its whole header, in milliseconds. Default 5 s.
  public var proxyHeaderTimeoutMilliseconds: UInt64 = 5_000

  /// What a connection beyond a limit is told before it is closed.
  package var refusalAnswer: (@Sendable (ListenerRefusal) -> [UInt8])?
  package var counters = ListenerCounters()

  /// Makes the defaults of docs/limits.md.
  public init() {}
}

/// Whether connections begin with a header of the PROXY protocol.
public enum ProxyProtocolSetting: Sendable, Hashable {
  /// None is looked for; one that comes is no valid HTTP request.
  case off
  /// Connections of trusted proxies may begin with one, all others are clients' own.
  case optional
  /// Every connection comes from a trusted proxy and begins with one; any other is closed.
  case required
}

/// When the kernel asks a silent TCP peer whether it is still there.
public struct TCPKeepalive: Sendable, Hashable {
  /// Seconds of silence before the first probe, 1...32,767. Default 60.
  public var idleSeconds: UInt16
  /// Seconds between two probes, 1...32,767. Default 15.
  public var intervalSeconds: UInt16
  /// Unanswered probes that break the connection, 1...127. Default 4.
  public var probeCount: UInt8

  /// Makes a description; values out of range are brought to the nearest one in range.
  public init(idleSeconds: UInt16 = 60, intervalSeconds: UInt16 = 15, probeCount: UInt8 = 4) {
    self.idleSeconds = idleSeconds
    self.intervalSeconds = intervalSeconds
    self.probeCount = probeCount
  }
}

extension ListenSettings {
  init(_ options: ListenerOptions, sharesPort: Bool) {
    self.init(backlog: options.backlog, sharesPort: sharesPort)
    if let keepalive = options.tcpKeepalive {
      keepaliveIdleSeconds = Int32(min(max(keepalive.idleSeconds, 1), 32_767))
      keepaliveIntervalSeconds = Int32(min(max(keepalive.intervalSeconds, 1), 32_767))
      keepaliveProbeCount = Int32(min(max(keepalive.probeCount, 1), 127))
    }
    userTimeoutMilliseconds = options.tcpUserTimeoutMilliseconds
  }
}
