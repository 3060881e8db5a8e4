import Bytes
import EventLoops
import HTTPCore
import Synchronization
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
  /// - Returns: the attempt, which can be cancelled.
  @discardableResult
  public static func connect(
    to url: String, on loop: EventLoop, options: WebSocketClientOptions = WebSocketClientOptions(),
    handler: WebSocketHandler,
    _ completion: @escaping @Sendable (Result<WebSocketConnection, WebSocketError>) -> Void
  ) -> WebSocketAttempt {
    let attempt = WebSocketAttempt(
      to: url, loop: loop, options: options, handler: handler, completion: completion)
    loop.execute { attempt.start() }
    return attempt
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
  /// - Throws: ``WebSocketError`` when the connection cannot be made; `cancelled` when the task is cancelled meanwhile.
  public static func connect(
    to url: String, options: WebSocketClientOptions = WebSocketClientOptions(), on loop: EventLoop? = nil
  ) async throws(WebSocketError) -> WebSocket {
    let loop = loop ?? EventLoopGroup.singleton.next()
    let inbox = WebSocketInbox(highWatermark: options.socket.limits.maximumMessageBytes)
    let cancellation = AttemptCancellation()
    let result: Swift.Result<WebSocket, WebSocketError> = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let attempt = WebSocketClient.connect(to: url, on: loop, options: options, handler: inbox) { result in
          continuation.resume(returning: result.map { WebSocket(connection: $0, inbox: inbox) })
        }
        cancellation.begin(attempt)
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }
}

/// Lets the cancellation of a task reach its attempt, whichever comes first.
private final class AttemptCancellation: Sendable {
  private let state = Mutex<(attempt: WebSocketAttempt?, isCancelled: Bool)>((nil, false))

  func begin(_ attempt: WebSocketAttempt) {
    let isCancelled = state.withLock {
      $0.attempt = attempt
      return $0.isCancelled
    }
    if isCancelled { attempt.cancel() }
  }

  func cancel() {
    let attempt = state.withLock {
      $0.isCancelled = true
      return $0.attempt
    }
    attempt?.cancel()
  }
}
