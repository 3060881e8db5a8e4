import HTTPCore
import WebSocketCore

/// The routes of a ``Router``, while it is being made.
public struct Routes: Sendable {
  /// What a route does with a request.
  enum Action: Sendable {
    case respond(@Sendable (HTTPRequest) async throws -> HTTPResponse)
    case handle(@Sendable (HTTPExchange, HTTPRequest) -> Void)
  }

  /// Everything at one path.
  struct Endpoint: Sendable {
    var actions: [HTTPMethod: Action] = [:]
    var webSocket: WebSocketRoute?

    /// The methods that `Allow` names (RFC 9110 §10.2.1).
    var allowed: String {
      var names = Set(actions.keys.map(\.rawValue))
      if webSocket != nil { names.insert("GET") }
      if actions[.get] != nil { names.insert("HEAD") }
      return names.sorted().joined(separator: ", ")
    }
  }

  var tree = RouteTree<Endpoint>()

  init() {}

  /// Answers GET, and HEAD by the same without its body.
  ///
  /// - Parameters:
  ///   - path: e.g. `/rooms/{room}`, or `/files/{path...}` for everything below; a parameter is one segment, decoded.
  ///   - body: runs as a task on the connection's loop; where it throws the client gets 500.
  public mutating func get(
    _ path: String, _ body: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
  ) {
    on(.get, path, body)
  }

  /// Answers POST; see ``get(_:_:)``.
  public mutating func post(
    _ path: String, _ body: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
  ) {
    on(.post, path, body)
  }

  /// Answers a method; see ``get(_:_:)``.
  public mutating func on(
    _ method: HTTPMethod, _ path: String,
    _ body: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
  ) {
    add(method, path, .respond(body))
  }

  /// Hands the exchange to a handler at once, on its loop, without a task: the fast way.
  public mutating func handle(
    _ method: HTTPMethod, _ path: String, _ handler: @escaping @Sendable (HTTPExchange, HTTPRequest) -> Void
  ) {
    add(method, path, .handle(handler))
  }

  /// Serves WebSockets by an async body; see ``WebSocketRoute``.
  ///
  /// - Parameters:
  ///   - path: see ``get(_:_:)``.
  ///   - subprotocols: those that are spoken here; the client's first one of them is chosen.
  ///   - configure: changes the route's limits, origins, authentication.
  ///   - body: serves a WebSocket; when it returns it is closed with 1000, when it throws with 1011.
  public mutating func webSocket(
    _ path: String, subprotocols: [String] = [], configure: (inout WebSocketRoute) -> Void = { _ in },
    _ body: @escaping @Sendable (WebSocket, HTTPRequest) async throws -> Void
  ) {
    var route = WebSocketRoute(subprotocols: subprotocols, service: .body(body))
    configure(&route)
    add(path, route)
  }

  /// Serves WebSockets by a synchronous handler each: the fast way; see ``webSocket(_:subprotocols:configure:_:)``.
  public mutating func webSocket(
    _ path: String, subprotocols: [String] = [], configure: (inout WebSocketRoute) -> Void = { _ in },
    handler: @escaping @Sendable (HTTPRequest) -> WebSocketHandler
  ) {
    var route = WebSocketRoute(subprotocols: subprotocols, service: .handler(handler))
    configure(&route)
    add(path, route)
  }

  private mutating func add(_ method: HTTPMethod, _ path: String, _ action: Action) {
    let pattern = PathPattern(path)
    var endpoint = tree[pattern] ?? Endpoint()
    precondition(endpoint.actions[method] == nil, "\(method.rawValue) \(path) has a route already.")
    endpoint.actions[method] = action
    tree[pattern] = endpoint
  }

  private mutating func add(_ path: String, _ route: WebSocketRoute) {
    let pattern = PathPattern(path)
    var endpoint = tree[pattern] ?? Endpoint()
    precondition(endpoint.webSocket == nil, "\(path) has a WebSocket route already.")
    endpoint.webSocket = route
    tree[pattern] = endpoint
  }
}
