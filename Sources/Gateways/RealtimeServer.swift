import HTTPCore
import Realtime
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
/// `/ready`, `/metrics`, and pages.
public final class RealtimeServer: HTTPService {
  private let gateway: CentrifugoGateway
  private let listeners: UnidirectionalGateway
  private let transports: HTTPTransports
  private let api: HTTPAPI
  private let options: RealtimeServerOptions

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
    gateway = CentrifugoGateway(
      hub: hub, encoding: 0, options: options.sessions, counters: counters)
    listeners = UnidirectionalGateway(
      hub: hub, encoding: 0, options: options.sessions, counters: counters)
    transports = HTTPTransports(
      hub: hub, encoding: 0, sessions: options.sessions, options: options.transports,
      origins: options.origins, counters: counters)
    self.api = api
    self.options = options
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func handle(_ exchange: HTTPExchange) {
    let path = exchange.head.path
    if path == "/connection/websocket" {
      if admits(exchange) { gateway.accept(exchange, options.socket) }
    } else if path == "/connection/uni_websocket" {
      let hasQuery = exchange.head.query?.isEmpty == false
      let opening = hasQuery ? HTTPTransports.listenerRequest(exchange) : nil
      guard admits(exchange) else { return }
      exchange.upgrade(
        to: listeners, options: options.socket,
        attachment: UnidirectionalGateway.Opening(
          opening, headers: options.sessions.keptHeaders(of: exchange.head),
          address: exchange.clientAddress.counted))
    } else if path.hasPrefix("/api/") {
      api.handle(exchange)
    } else if path == "/health" {
      exchange.respond(.json(.ok, Array("{}".utf8)))
    } else if path == "/ready" {
      exchange.respond(.json(options.isReady() ? .ok : .serviceUnavailable, Array("{}".utf8)))
    } else if path == "/metrics", let metrics = options.metrics {
      metrics.handle(exchange)
    } else if transports.handle(exchange) {
      return
    } else if let response = options.files.response(to: exchange.head) {
      exchange.respond(response)
    } else {
      exchange.respond(.text(.notFound, "There is nothing here.\n"))
    }
  }

  /// Whether the page may open a WebSocket; if not, it has been told.
  private func admits(_ exchange: HTTPExchange) -> Bool {
    if exchange.isAllowed(by: options.origins) { return true }
    exchange.respond(CrossOrigin.refusal)
    return false
  }
}
