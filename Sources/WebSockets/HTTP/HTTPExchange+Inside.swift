import EventLoops
import HTTPCore
import Transport
import WebSocketCore

extension HTTPExchange {
  /// Opens a WebSocket from within to the server that this exchange is of, as the exchange's client would: its service
  /// sees a request like any other, from the same address. The exchange is still to be answered.
  ///
  /// - Parameters:
  ///   - target: path and query.
  ///   - fields: the request's fields, `Host` among them.
  ///   - options: subprotocols, limits and deadlines of the client's end.
  ///   - handler: hears what the server's end does.
  ///   - completion: called once, on the loop.
  package func openInside(
    target: String, fields: HTTPFields, options: WebSocketClientOptions, handler: WebSocketHandler,
    _ completion: @escaping (Result<WebSocketConnection, WebSocketError>) -> Void
  ) {
    guard let connection else {
      return completion(.failure(WebSocketError(.connectFailed, "The request has been answered.")))
    }
    var options = options
    options.fields = fields
    options.maximumRedirects = 0
    let request: ClientRequest
    do {
      request = try ClientRequest(to: "ws://inside" + target, options: options)
    } catch {
      return completion(.failure(error))
    }
    let server = HTTPServerConnection(service: connection.service, registry: connection.registry)
    server.knownOrigin = origin
    let client = ClientHandshake(
      request, options: options, handler: handler,
      timeoutMilliseconds: options.handshakeTimeoutMilliseconds
    ) { outcome in
      switch outcome {
      case .open(let socket): completion(.success(socket))
      case .failed(let error): completion(.failure(error))
      case .redirected(let head, _, _):
        completion(
          .failure(WebSocketError(.handshakeFailed, "The address leads elsewhere.", refusedBy: head)))
      }
    }
    guard Connection.pair(on: loop, from: peerAddress, server: server, client: client) else {
      return completion(.failure(WebSocketError(.connectFailed, "There are no descriptors left.")))
    }
  }
}
