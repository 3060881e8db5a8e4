import HTTPCore
import Realtime
import Synchronization
import WebSocketCore
import WebSockets

/// What a real-time server is made of.
public struct RealtimeServerOptions: Sendable {
  /// Tokens and deadlines of client sessions.
  public var sessions: CentrifugoOptions
  /// Limits of client connections.
  public var socket: WebSocketOptions
  /// Web pages that may connect.
  public var origins = OriginPolicy.sameOrigin
  /// Limits of clients without a WebSocket.
  public var transports = TransportOptions()
  /// The pages that are served.
  public var files = StaticFiles([:])
  /// Answers `/metrics`; nil shows none.
  public var metrics: MetricsService?
  /// Whether `/ready` says that new clients may come.
  public var isReady: @Sendable () -> Bool = { true }

  /// Makes options with the defaults of docs/limits.md.
  public init(sessions: CentrifugoOptions) {
    self.sessions = sessions
    // The protocol has pings of its own, so the WebSocket's are off.
    socket = WebSocketOptions(
      limits: WebSocketLimits(maximumMessageBytes: 65_536), keepaliveIntervalMilliseconds: 0,
      slowConsumerClose: SlowConsumerClose(
        code: CloseCode(rawValue: Disconnect.slow.code), reason: Disconnect.slow.reason))
  }
}

/// The routes of a real-time server: clients at `/connection/websocket` and over HTTP, backends at `/api/…`, `/health`,
/// `/ready`, `/metrics`, and pages. Among the files `/api/openapi.json` describes the API; it needs no key.
public final class RealtimeServer: HTTPService {
  private let hub: Hub
  private let api: HTTPAPI
  private let counters: CentrifugoCounters
  private let directory: SessionDirectory
  /// What takes new connections. Those that are open keep the one that took them.
  private let reception: Mutex<Reception>

  /// Puts the routes together.
  ///
  /// - Parameters:
  ///   - hub: has a ``CentrifugoJSONEncoding`` as its first encoding, and may have others that ``CentrifugoGateway``
  ///     knows.
  ///   - api: answers what begins with `/api/`.
  ///   - options: everything else.
  ///   - counters: count what happens to clients.
  public init(
    hub: Hub, api: HTTPAPI, options: RealtimeServerOptions,
    counters: CentrifugoCounters = CentrifugoCounters()
  ) {
    self.hub = hub
    self.api = api
    self.counters = counters
    directory = SessionDirectory(loops: hub.loops)
    reception = Mutex(Reception(hub, options, counters, directory))
  }

  /// Changes the options for connections and requests that come from now on. Any thread.
  public func use(_ options: RealtimeServerOptions) {
    let new = Reception(hub, options, counters, directory)
    reception.withLock { $0 = new }
    let limits = options.sessions.rateLimits
    // Connections that are open are counted by the same limiter, if anything was limited when they came.
    let counts = hub.rateCounts
    for loop in hub.loops {
      loop.execute { loop.storage { _ in RateLimiter(limits, sharing: counts) }.use(limits) }
    }
  }

  /// What answers under the same options.
  private final class Reception: Sendable {
    let options: RealtimeServerOptions
    let gateway: CentrifugoGateway
    let listeners: UnidirectionalGateway
    let transports: HTTPTransports

    init(
      _ hub: Hub, _ options: RealtimeServerOptions, _ counters: CentrifugoCounters,
      _ directory: SessionDirectory
    ) {
      self.options = options
      gateway = CentrifugoGateway(hub: hub, encoding: 0, options: options.sessions, counters: counters)
      listeners = UnidirectionalGateway(
        hub: hub, encoding: 0, options: options.sessions, counters: counters)
      transports = HTTPTransports(
        hub: hub, encoding: 0, sessions: options.sessions, options: options.transports,
        origins: options.origins, counters: counters, directory: directory)
    }

    /// Whether the page may open a WebSocket; if not, it has been told.
    func admits(_ exchange: HTTPExchange) -> Bool {
      if exchange.isAllowed(by: options.origins) { return true }
      CrossOrigin.note(exchange, options.sessions.log)
      exchange.respond(CrossOrigin.refusal)
      return false
    }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func streamsBody(of head: HTTPRequestHead) -> Bool { api.streamsBody(of: head) }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func handle(_ exchange: HTTPExchange) {
    let path = exchange.head.path
    let reception = reception.withLock { $0 }
    if path == "/connection/websocket" {
      if reception.admits(exchange) { reception.gateway.accept(exchange, reception.options.socket) }
    } else if path == "/connection/uni_websocket" {
      let hasQuery = exchange.head.query?.isEmpty == false
      let opening = hasQuery ? HTTPTransports.listenerRequest(exchange) : nil
      guard reception.admits(exchange) else { return }
      exchange.upgrade(
        to: reception.listeners, options: reception.options.socket,
        attachment: UnidirectionalGateway.Opening(
          opening, headers: reception.options.sessions.keptHeaders(of: exchange.head),
          address: exchange.clientAddress.counted))
    } else if path == "/api/openapi.json", let response = reception.options.files.response(to: exchange.head)
    {
      exchange.respond(response)
    } else if path.hasPrefix("/api/") {
      api.handle(exchange)
    } else if path == "/health" {
      exchange.respond(.json(.ok, Array("{}".utf8)))
    } else if path == "/ready" {
      exchange.respond(.json(reception.options.isReady() ? .ok : .serviceUnavailable, Array("{}".utf8)))
    } else if path == "/metrics", let metrics = reception.options.metrics {
      metrics.handle(exchange)
    } else if reception.transports.handle(exchange) {
      return
    } else if let response = reception.options.files.response(to: exchange.head) {
      exchange.respond(response)
    } else {
      exchange.respond(.text(.notFound, "There is nothing here.\n"))
    }
  }
}
