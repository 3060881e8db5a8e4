import Gateways
import Realtime
import WebSocketCore
import WebSockets

extension RunningServer {
  static func encodings(
    _ deflate: ServerConfiguration.Deflate, _ counters: CompressionCounters
  ) -> [any WireEncoding] {
    let plain: [any WireEncoding] = [CentrifugoJSONEncoding(), CentrifugoProtobufEncoding()]
    guard deflate.isEnabled else { return plain }
    return plain + plain.map { CompressedEncoding($0, deflate.options, counters: counters) }
  }

  private static func compression(_ deflate: ServerConfiguration.Deflate) -> DeflateOptions? {
    guard deflate.isEnabled else { return nil }
    var options = deflate.options
    options.sendsWithContext = deflate.takesOver
    options.receivesWithContext = deflate.takesOver
    return options
  }

  static func httpOptions(
    _ configuration: ServerConfiguration, _ counters: ServerCounters
  ) throws(Problem) -> HTTPServerOptions {
    var options = HTTPServerOptions()
    options.counters = counters
    options.trustedProxies = configuration.trustedProxies
    options.listener.proxyProtocol = configuration.proxyProtocol
    let limit = { (count: Int) in count == 0 ? nil : count }
    options.listener.maximumConnections = limit(configuration.limits.connections)
    options.listener.maximumConnectionsPerAddress = limit(configuration.limits.connectionsPerAddress)
    options.tls = try ServerTLS.context(configuration.tls)
    return options
  }

  static func options(
    _ configuration: ServerConfiguration, _ authority: ServerAuthority, _ webhooks: Webhooks?,
    _ pages: String?,
    isDemo: Bool
  ) throws(Problem) -> RealtimeServerOptions {
    var sessions = CentrifugoOptions(
      now: { UInt64(clamping: Machine.unixMilliseconds / 1_000) }, makeClientID: UniqueIdentifier.make)
    sessions.currentTokens = authority.tokens
    if let backend = authority.backend { sessions.backend = backend }
    sessions.webhooks = webhooks
    sessions.takesUserFromConnectData = isDemo
    sessions.version = "martlet \(Version.number)"
    var options = RealtimeServerOptions(sessions: sessions)
    configuration.apply(to: &options)
    options.socket.compression = compression(configuration.deflate)
    var files =
      try pages.map { (pages) throws(Problem) in
        try PageFiles.read(pages, client: PageDirectory.client(beside: pages))
      } ?? [:]
    for (path, file) in PageDirectory.documents() { files[path] = try TextFile.read(file) }
    options.files = StaticFiles(files)
    return options
  }
}

extension ServerConfiguration {
  var hubLimits: HubLimits {
    var limits = HubLimits()
    limits.maximumChannelsPerLoop = self.limits.channelsPerLoop
    limits.maximumChannelsPerClient = self.limits.channelsPerConnection
    return limits
  }

  /// Sets what a running server takes over for new connections; the rest of the options stays.
  func apply(to options: inout RealtimeServerOptions) {
    options.origins =
      allowedOrigins == ["*"] ? .any : allowedOrigins.isEmpty ? .sameOrigin : .list(allowedOrigins)
    options.sessions.allowsAnonymous = allowsAnonymous
    options.sessions.rateLimits = rateLimits
    options.sessions.connectDeadlineMilliseconds = limits.connectMilliseconds
    options.sessions.pingIntervalMilliseconds = limits.pingMilliseconds
    options.sessions.pongDeadlineMilliseconds = limits.pongMilliseconds
    options.socket.limits.maximumMessageBytes = limits.messageBytes
    options.socket.maximumQueuedBytes = limits.queueBytes
    var transports = transports.options(limits)
    transports.node = options.transports.node
    transports.counters = options.transports.counters
    options.transports = transports
  }
}
