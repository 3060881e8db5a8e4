import EventLoops
import HTTPCore
import WebSocketCore

/// Sends each request to its route by path and method; WebSockets and ordinary HTTP share the port.
///
/// ```swift
/// let router = Router { routes in
///   routes.get("/health") { _ in .text(.ok, "fine\n") }
///   routes.webSocket("/rooms/{room}", subprotocols: ["v2.chat", "v1.chat"]) { socket, request in
///     let room = request.parameters["room"] ?? ""
///     for try await message in socket { … }
///   }
/// }
/// try await WebSocketServer(port: 8080).run(router)
/// ```
///
/// A literal segment goes before a parameter, and that before a tail. A path that has no route gets 404, a method that it
/// does not have 405 with `Allow`, a path that cannot be decoded 400. A slash at the end matters.
public final class Router: HTTPService {
  private let routes: Routes

  /// Makes a router. Two routes for the same thing, or a pattern that is not valid, stop the program.
  public init(_ describe: (inout Routes) -> Void) {
    var routes = Routes()
    describe(&routes)
    self.routes = routes
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func handle(_ exchange: HTTPExchange) {
    let match: RouteTree<Routes.Endpoint>.Match?
    do {
      match = try routes.tree.match(exchange.head.path)
    } catch {
      return exchange.respond(.text(.badRequest, "The path is not valid.\n"))
    }
    guard let match else { return exchange.respond(.text(.notFound, "There is nothing here.\n")) }
    var request = HTTPRequest(exchange)
    request.parameters = match.parameters
    dispatch(exchange, request, match.endpoint)
  }

  private func dispatch(_ exchange: HTTPExchange, _ request: HTTPRequest, _ endpoint: Routes.Endpoint) {
    let method = exchange.head.method
    let asksForWebSocket = exchange.head.fields.containsToken("Upgrade", "websocket")
    let action = endpoint.actions[method] ?? (method == .head ? endpoint.actions[.get] : nil)
    if let webSocket = endpoint.webSocket, asksForWebSocket || (action == nil && method == .get) {
      return webSocket.open(exchange, request)
    }
    switch action {
    case .handle(let handler)?:
      handler(exchange, request)
    case .respond(let body)?:
      Self.respond(exchange, request, body)
    case nil:
      var response = HTTPResponse.text(.methodNotAllowed, "This method is not allowed here.\n")
      response.fields.append("Allow", endpoint.allowed)
      exchange.respond(response)
    }
  }

  private static func respond(
    _ exchange: HTTPExchange, _ request: HTTPRequest,
    _ body: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
  ) {
    Task(executorPreference: exchange.loop) {
      let response: HTTPResponse
      do {
        response = try await body(request)
      } catch {
        response = .text(.internalServerError, "500 Internal Server Error\n")
      }
      exchange.loop.execute { exchange.respond(response) }
    }
  }
}
