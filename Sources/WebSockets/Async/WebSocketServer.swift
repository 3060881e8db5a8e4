import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// What serves a WebSocket: runs on the connection's loop.
public typealias WebSocketBody = nonisolated(nonsending) @Sendable (WebSocket) async throws -> Void

/// What a server does with a request.
public enum WebSocketAnswer: Sendable {
  /// Completes the opening handshake and runs the body as a task on the connection's loop. When it returns the
  /// connection is closed with 1000, when it throws with 1011.
  case accept(subprotocol: String?, WebSocketBody)
  /// Completes the opening handshake and hands the connection to a synchronous handler: the fast way.
  case handle(subprotocol: String?, @Sendable () -> WebSocketHandler)
  /// An ordinary HTTP response.
  case respond(HTTPResponse)

  /// ``accept(subprotocol:_:)`` without a subprotocol.
  public static func accept(_ body: @escaping WebSocketBody) -> WebSocketAnswer {
    .accept(subprotocol: nil, body)
  }

  /// ``handle(subprotocol:_:)`` without a subprotocol.
  public static func handle(_ handler: @escaping @Sendable () -> WebSocketHandler) -> WebSocketAnswer {
    .handle(subprotocol: nil, handler)
  }

  /// Refuses with a status and its usual phrase as text.
  public static func reject(_ status: HTTPStatus) -> WebSocketAnswer {
    .respond(.text(status, "\(status.code) \(status.reason)\n"))
  }
}

/// A WebSocket server for `async`/`await`.
///
/// ```swift
/// try await WebSocketServer(port: 8080).run { request in
///   guard request.path == "/echo" else { return .reject(.notFound) }
///   return .accept { socket in
///     for try await message in socket { try await socket.send(message) }
///   }
/// }
/// ```
public struct WebSocketServer: Sendable {
  /// A route: decides on each request.
  public typealias Route = @Sendable (HTTPRequest) async throws -> WebSocketAnswer

  /// The address or name to bind.
  public var host: String
  /// The port; 0 takes a free one.
  public var port: UInt16
  /// The path of a Unix socket to bind in the place of ``host`` and ``port``; nil for TCP.
  public var unixPath: String?
  /// Limits of the WebSockets.
  public var options: WebSocketOptions
  /// Limits of the HTTP side.
  public var httpOptions: HTTPServerOptions
  /// The web pages that may connect. Default: those of the same origin.
  public var origins: OriginPolicy
  /// The loops to serve on.
  public var group: EventLoopGroup

  /// Describes a server; ``run(_:)`` or ``start(_:)`` start it.
  public init(
    host: String = "127.0.0.1", port: UInt16, options: WebSocketOptions = WebSocketOptions(),
    httpOptions: HTTPServerOptions = HTTPServerOptions(), origins: OriginPolicy = .sameOrigin,
    group: EventLoopGroup = .singleton
  ) {
    self.host = host
    self.port = port
    self.options = options
    self.httpOptions = httpOptions
    self.origins = origins
    self.group = group
  }

  /// Serves until the task is cancelled, then closes the connections with 1001.
  ///
  /// - Throws: ``TransportError`` when the address cannot be bound.
  public func run(_ route: @escaping Route) async throws {
    try await Self.serve(until: start(route))
  }

  /// The same with a router, whose routes have limits and origins of their own: ``options`` and ``origins`` are not used.
  ///
  /// - Throws: ``TransportError`` when the address cannot be bound.
  public func run(_ router: Router) async throws {
    try await Self.serve(until: start(router))
  }

  /// Serves until the task is cancelled.
  private static func serve(until server: HTTPServer) async {
    let (stream, end) = AsyncStream<Never>.makeStream()
    await withTaskCancellationHandler {
      for await _ in stream {}
    } onCancel: {
      end.finish()
    }
    await server.shutdown()
  }

  /// Starts to serve and returns at once.
  ///
  /// - Throws: ``TransportError`` when the address cannot be bound.
  public func start(_ route: @escaping Route) async throws(TransportError) -> HTTPServer {
    try await start(RouteService(route: route, options: options, origins: origins))
  }

  /// Starts to serve a router and returns at once; see ``run(_:)``.
  ///
  /// - Throws: ``TransportError`` when the address cannot be bound.
  public func start(_ router: Router) async throws(TransportError) -> HTTPServer {
    try await start(router as any HTTPService)
  }

  private func start(_ service: any HTTPService) async throws(TransportError) -> HTTPServer {
    if let unixPath {
      return try await HTTPServer.start(
        group: group, unixPath: unixPath, options: httpOptions, service: service)
    }
    return try await HTTPServer.start(
      group: group, host: host, port: port, options: httpOptions, service: service)
  }
}

/// Asks the route for an answer and carries it out.
private final class RouteService: HTTPService {
  private let route: WebSocketServer.Route
  private let options: WebSocketOptions
  private let origins: OriginPolicy

  init(route: @escaping WebSocketServer.Route, options: WebSocketOptions, origins: OriginPolicy) {
    self.route = route
    self.options = options
    self.origins = origins
  }

  func handle(_ exchange: HTTPExchange) {
    Task(executorPreference: exchange.loop) {
      let request = HTTPRequest(exchange)
      let answer: WebSocketAnswer
      do {
        answer = try await self.route(request)
      } catch {
        answer = .reject(.internalServerError)
      }
      exchange.loop.execute { self.carryOut(answer, exchange) }
    }
  }

  private func carryOut(_ answer: WebSocketAnswer, _ exchange: HTTPExchange) {
    switch answer {
    case .respond(let response):
      exchange.respond(response)
    case .handle(let subprotocol, let makeHandler):
      guard admits(exchange) else { return }
      exchange.upgrade(to: makeHandler(), subprotocol: subprotocol, options: options)
    case .accept(let subprotocol, let body):
      guard admits(exchange) else { return }
      exchange.accept(subprotocol: subprotocol, options: options, body)
    }
  }

  private func admits(_ exchange: HTTPExchange) -> Bool {
    guard !exchange.isAllowed(by: origins) else { return true }
    exchange.respond(.text(.forbidden, "This origin may not connect here.\n"))
    return false
  }
}
