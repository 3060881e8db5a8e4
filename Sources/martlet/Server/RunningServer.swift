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
  static func start(
    _ configuration: ServerConfiguration, isDemo: Bool, log: ServerLog
  ) async throws(Problem) -> RunningServer {
    let pages = configuration.pages.isEmpty ? PageDirectory.find() : configuration.pages
    let loopCount = configuration.loops == 0 ? Machine.coreCount : configuration.loops
    let group = DriverFlag.group(loops: loopCount, configuration.driver) {
      log.write(.warning, "the driver cannot be used here", [.text("reason", $0)])
    }
    let compressionCounters = CompressionCounters()
    let webhooks = try configuration.makeWebhooks(group.loops, log)
    let hub = Hub(
      loops: group.loops,
      namespaces: Namespaces(default: configuration.defaultNamespace, named: configuration.namespaces),
      limits: configuration.hubLimits, encodings: encodings(configuration.deflate, compressionCounters),
      observer: webhooks,
      wallClock: { UInt64(clamping: Machine.unixMilliseconds) },
      randomBits: { UInt64.random(in: .min ... .max) })
    let started = ContinuousClock.now
    let counters = ServerCounters()
    let sessionCounters = CentrifugoCounters()
    let node = NodeIdentity(uid: UniqueIdentifier.make(), name: Machine.hostName, version: Version.number)
    let now: @Sendable () -> UInt64 = { UInt64(clamping: Machine.unixMilliseconds / 1_000) }
    let authority = try ServerAuthority(configuration, loops: group.loops, log: log, now: now)
    var serviceOptions = try options(configuration, authority, webhooks, pages, isDemo: isDemo)
    serviceOptions.sessions.log = log
    serviceOptions.transports.node = node.uid
    let transportCounters = serviceOptions.transports.counters
    let moreCounters = { @Sendable in
      sessionCounters.values + compressionCounters.values + transportCounters.values + authority.counters
        + (webhooks?.counters.values ?? []) + log.counters
    }
    let api = HTTPAPI(
      hub: hub, keys: configuration.apiKeys, node: node,
      uptimeSeconds: { UInt64(clamping: (ContinuousClock.now - started).components.seconds) },
      moreMetrics: { counters.values + moreCounters() },
      revocations: authority.revocations, now: now, backend: authority.backend ?? NoBackend(), log: log,
      isOpen: configuration.apiIsOpen)
    let httpOptions = try httpOptions(configuration, counters)
    let startSeconds = Double(Machine.unixMilliseconds) / 1_000
    let metrics = { @Sendable (configuration: ServerConfiguration) in
      MetricsService(
        hub: hub, server: counters, version: Version.number,
        allowed: configuration.observation.metricsAllowed,
        counters: moreCounters,
        process: {
          var figures = ProcessFigures.current()
          figures.startSeconds = startSeconds
          return figures
        })
    }
    serviceOptions.metrics = metrics(configuration)
    let readiness = Readiness()
    serviceOptions.isReady = { readiness.isReady }
    let service = RealtimeServer(hub: hub, api: api, options: serviceOptions, counters: sessionCounters)
    let place = ListeningPlace(
      host: configuration.host, port: configuration.port, environment: Program.environment())
    let server = try await place.start(group: group, options: httpOptions, service: service)
    readiness.isReady = true
    if let loop = group.loops.first {
      LimitWatch(hub, on: loop, log: log) { counters.values + moreCounters() }.start()
    }
    return RunningServer(
      server: server, place: place, readiness: readiness,
      reloading: ConfigurationReloading(configuration, log: log, tls: httpOptions.tls) {
        (new) throws(Problem) in
        try authority.prepare(new)
      } apply: { [serviceOptions] new, prepared, changes in
        log.use(level: new.log.level)
        api.use(keys: new.apiKeys, isOpen: new.apiIsOpen)
        authority.use(prepared)
        if changes.inForce.contains("namespaces") {
          hub.use(Namespaces(default: new.defaultNamespace, named: new.namespaces))
        }
        hub.use(new.hubLimits)
        var options = serviceOptions
        new.apply(to: &options)
        options.metrics = metrics(new)
        service.use(options)
      },
      pages: pages, isSecure: httpOptions.tls != nil)
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
}
