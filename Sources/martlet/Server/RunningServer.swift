import EventLoops
import Gateways
import Realtime
import WebSocketCore
import WebSockets

/// The messaging server as `serve` runs it: configuration in, listening socket out.
struct RunningServer: Sendable {
  private let server: HTTPServer
  private let place: ListeningPlace
  private let readiness: Readiness
  private let reloading: ConfigurationReloading
  /// The directory of the pages that are shown; nil when there are none.
  let pages: String?
  /// Whether clients connect by TLS.
  let isSecure: Bool

  /// - Throws: ``Problem`` when the address cannot be listened on or a setting cannot be used.
  static func start(_ configuration: ServerConfiguration, isDemo: Bool) async throws(Problem) -> RunningServer
  {
    let pages = configuration.pages.isEmpty ? PageDirectory.find() : configuration.pages
    let loopCount = configuration.loops == 0 ? Machine.coreCount : configuration.loops
    let group = DriverFlag.group(loops: loopCount, configuration.driver)
    var limits = HubLimits()
    limits.maximumChannelsPerLoop = configuration.limits.channelsPerLoop
    limits.maximumChannelsPerClient = configuration.limits.channelsPerConnection
    let compressionCounters = CompressionCounters()
    let webhooks = try configuration.makeWebhooks(group.loops)
    let hub = Hub(
      loops: group.loops,
      namespaces: Namespaces(default: configuration.defaultNamespace, named: configuration.namespaces),
      limits: limits, encodings: encodings(configuration.deflate, compressionCounters),
      observer: webhooks,
      wallClock: { UInt64(clamping: Machine.unixMilliseconds) },
      randomBits: { UInt64.random(in: .min ... .max) })
    let started = ContinuousClock.now
    let counters = ServerCounters()
    let sessionCounters = CentrifugoCounters()
    let node = NodeIdentity(uid: UniqueIdentifier.make(), name: Machine.hostName, version: Version.number)
    let now: @Sendable () -> UInt64 = { UInt64(clamping: Machine.unixMilliseconds / 1_000) }
    let authority = try ServerAuthority(configuration, loops: group.loops, now: now)
    var serviceOptions = try options(configuration, authority, webhooks, pages, isDemo: isDemo)
    serviceOptions.transports.node = node.uid
    let transportCounters = serviceOptions.transports.counters
    let moreCounters = { @Sendable in
      sessionCounters.values + compressionCounters.values + transportCounters.values + authority.counters
        + (webhooks?.counters.values ?? [])
    }
    let api = HTTPAPI(
      hub: hub, keys: configuration.apiKeys, node: node,
      uptimeSeconds: { UInt64(clamping: (ContinuousClock.now - started).components.seconds) },
      moreMetrics: { counters.values + moreCounters() },
      revocations: authority.revocations, now: now)
    var httpOptions = HTTPServerOptions()
    httpOptions.counters = counters
    httpOptions.trustedProxies = configuration.trustedProxies
    httpOptions.listener.proxyProtocol = configuration.proxyProtocol
    let limit = { (count: Int) in count == 0 ? nil : count }
    httpOptions.listener.maximumConnections = limit(configuration.limits.connections)
    httpOptions.listener.maximumConnectionsPerAddress = limit(configuration.limits.connectionsPerAddress)
    httpOptions.tls = try ServerTLS.context(configuration.tls)
    let startSeconds = Double(Machine.unixMilliseconds) / 1_000
    serviceOptions.metrics = MetricsService(
      hub: hub, server: counters, version: Version.number, allowed: configuration.observation.metricsAllowed,
      counters: moreCounters,
      process: {
        var figures = ProcessFigures.current()
        figures.startSeconds = startSeconds
        return figures
      })
    let readiness = Readiness()
    serviceOptions.isReady = { readiness.isReady }
    let service = RealtimeServer(hub: hub, api: api, options: serviceOptions, counters: sessionCounters)
    let place = ListeningPlace(
      host: configuration.host, port: configuration.port, environment: Program.environment())
    let server = try await place.start(group: group, options: httpOptions, service: service)
    readiness.isReady = true
    return RunningServer(
      server: server, place: place, readiness: readiness,
      reloading: ConfigurationReloading(configuration, hub: hub, api: api, tls: httpOptions.tls),
      pages: pages,
      isSecure: httpOptions.tls != nil)
  }

  func url(scheme: String) -> String { place.url(scheme: scheme, server) }

  /// At each SIGHUP: reads certificates and keys again, and what `read` gives of the configuration.
  func reloadAtHangup(_ read: @escaping @Sendable () throws(Problem) -> ServerConfiguration) {
    Signals.handleHangup { reloading.reload(read) }
  }

  /// Stops accepting, and tells clients to reconnect (3001 of the client protocol), spread over the time.
  func shutdown(spreadMilliseconds: UInt64) async {
    readiness.isReady = false
    await server.shutdown(
      code: CloseCode(rawValue: 3001), reason: "shutdown", spreadMilliseconds: spreadMilliseconds,
      graceMilliseconds: 2_000)
  }

  private static func encodings(
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

  private static func options(
    _ configuration: ServerConfiguration, _ authority: ServerAuthority, _ webhooks: Webhooks?,
    _ pages: String?,
    isDemo: Bool
  ) throws(Problem) -> RealtimeServerOptions {
    var sessions = CentrifugoOptions(
      now: { UInt64(clamping: Machine.unixMilliseconds / 1_000) }, makeClientID: UniqueIdentifier.make)
    sessions.tokens = authority.tokens
    if let backend = authority.backend { sessions.backend = backend }
    sessions.webhooks = webhooks
    sessions.allowsAnonymous = configuration.allowsAnonymous
    sessions.takesUserFromConnectData = isDemo
    sessions.version = "martlet \(Version.number)"
    sessions.connectDeadlineMilliseconds = configuration.limits.connectMilliseconds
    sessions.pingIntervalMilliseconds = configuration.limits.pingMilliseconds
    sessions.rateLimits = configuration.rateLimits
    sessions.pongDeadlineMilliseconds = configuration.limits.pongMilliseconds
    var options = RealtimeServerOptions(sessions: sessions)
    if configuration.allowedOrigins == ["*"] {
      options.origins = .any
    } else if !configuration.allowedOrigins.isEmpty {
      options.origins = .list(configuration.allowedOrigins)
    }
    options.socket.limits.maximumMessageBytes = configuration.limits.messageBytes
    options.socket.maximumQueuedBytes = configuration.limits.queueBytes
    options.transports = configuration.transports.options(configuration.limits)
    options.socket.compression = compression(configuration.deflate)
    if let pages {
      options.files = StaticFiles(try PageFiles.read(pages, client: PageDirectory.client(beside: pages)))
    }
    return options
  }
}
