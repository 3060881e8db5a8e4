import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// Opens client connections for a synchronous ``WebSocketHandler``.
public enum WebSocketClient {
  /// Connects and completes the opening handshake.
  ///
  /// - Parameters:
  ///   - url: `ws://host[:port]/path?query`.
  ///   - loop: the loop that will own the connection.
  ///   - options: fields, subprotocols, deadlines, limits.
  ///   - handler: gets the connection's events; ``WebSocketHandler/opened(_:)`` comes right after the completion.
  ///   - completion: called once on the loop.
  public static func connect(
    to url: String, on loop: EventLoop, options: WebSocketClientOptions = WebSocketClientOptions(),
    handler: WebSocketHandler,
    _ completion: @escaping @Sendable (Result<WebSocketConnection, WebSocketError>) -> Void
  ) {
    let target: WebURL
    do {
      target = try WebURL(url)
    } catch {
      loop.execute { completion(.failure(WebSocketError(.invalidURL, "\(error)", cause: error))) }
      return
    }
    guard !target.isSecure else {
      let message = "wss:// is not supported yet: connect through a proxy that ends TLS, or use ws://."
      loop.execute { completion(.failure(WebSocketError(.invalidURL, message))) }
      return
    }
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce.withUnsafeMutableBytes { SecureRandom.fill($0) }
    let key = Base64.encode(nonce)
    let request = OpeningHandshake.request(
      url: target, key: key, subprotocols: options.subprotocols, origin: options.origin,
      fields: options.fields)
    let handshake = ClientHandshake(
      request: request, key: key, options: options, handler: handler, completion: completion)
    loop.execute {
      Connector.connect(
        loop: loop, host: target.host, port: UInt16(clamping: target.port),
        timeoutMilliseconds: options.connectTimeoutMilliseconds, handler: handshake
      ) { result in
        guard case .failure(let error) = result else { return }
        completion(.failure(WebSocketError(.connectFailed, error.message, cause: error)))
      }
    }
  }
}

extension WebSocket {
  /// Connects, runs the body as long as it needs the connection, and closes it.
  ///
  /// The body runs on the connection's loop, without thread hops between it and the socket. When it returns, the connection is
  /// closed with 1000; when it throws, with 1001, and the error is passed on.
  ///
  /// - Throws: ``WebSocketError`` when the connection cannot be made; what the body throws.
  public static func connect<Result: Sendable>(
    to url: String, options: WebSocketClientOptions = WebSocketClientOptions(), on loop: EventLoop? = nil,
    _ body: @Sendable (WebSocket) async throws -> Result
  ) async throws -> Result {
    let socket = try await connect(to: url, options: options, on: loop)
    return try await withTaskExecutorPreference(socket.loop) {
      do {
        let result = try await body(socket)
        await socket.close()
        return result
      } catch {
        await socket.close(code: .goingAway)
        throw error
      }
    }
  }

  /// Connects and returns the open WebSocket; who calls this closes it.
  ///
  /// - Throws: ``WebSocketError`` when the connection cannot be made.
  public static func connect(
    to url: String, options: WebSocketClientOptions = WebSocketClientOptions(), on loop: EventLoop? = nil
  ) async throws(WebSocketError) -> WebSocket {
    let loop = loop ?? EventLoopGroup.singleton.next()
    let inbox = WebSocketInbox(highWatermark: options.socket.limits.maximumMessageBytes)
    let result: Swift.Result<WebSocket, WebSocketError> = await withUnsafeContinuation { continuation in
      WebSocketClient.connect(to: url, on: loop, options: options, handler: inbox) { result in
        continuation.resume(returning: result.map { WebSocket(connection: $0, inbox: inbox) })
      }
    }
    return try result.get()
  }
}
