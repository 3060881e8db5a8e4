import HTTPCore
import WebSocketCore

/// How WebSockets are opened at one path of a ``Router``.
public struct WebSocketRoute: Sendable {
  enum Service: Sendable {
    case body(@Sendable (WebSocket, HTTPRequest) async throws -> Void)
    case handler(@Sendable (HTTPRequest) -> WebSocketHandler)
  }

  /// The subprotocols that are spoken here. The client's order of preference decides.
  public var subprotocols: [String]
  /// Whether a client that offers none of them is refused with 400; if not, it goes on without one. Default false.
  public var requiresSubprotocol = false
  /// Limits and deadlines.
  public var options = WebSocketOptions()
  /// The web pages that may connect. Default: those of the same origin.
  public var origins = OriginPolicy.sameOrigin
  /// Decides who may connect; nil for everybody.
  public var authentication: Authentication?
  let service: Service

  init(subprotocols: [String], service: Service) {
    self.subprotocols = subprotocols
    self.service = service
  }

  /// Checks what can be checked at once, asks for the client, and completes the handshake.
  func open(_ exchange: HTTPExchange, _ request: HTTPRequest) {
    // What is no handshake is answered as such, before anybody is asked who it is.
    guard case .upgrade = OpeningHandshake.serverCheck(exchange.head) else {
      return exchange.upgrade(to: WebSocketHandler())
    }
    guard exchange.isAllowed(by: origins) else {
      return exchange.respond(.text(.forbidden, "This origin may not connect here.\n"))
    }
    let chosen = request.subprotocols.first(where: subprotocols.contains)
    guard chosen != nil || !requiresSubprotocol else {
      let text =
        "None of the subprotocols is spoken here; these are: \(subprotocols.joined(separator: ", "))\n"
      return exchange.respond(.text(.badRequest, text))
    }
    guard let authentication else { return upgrade(exchange, request, chosen, nil) }
    exchange.authenticate(authentication, request: request) { upgrade($0, request, chosen, $1) }
  }

  private func upgrade(
    _ exchange: HTTPExchange, _ request: HTTPRequest, _ subprotocol: String?,
    _ attachment: (any AnyObject & Sendable)?
  ) {
    switch service {
    case .body(let body):
      exchange.accept(subprotocol: subprotocol, options: options, attachment: attachment) {
        try await body($0, request)
      }
    case .handler(let makeHandler):
      exchange.upgrade(
        to: makeHandler(request), subprotocol: subprotocol, options: options, attachment: attachment)
    }
  }
}
