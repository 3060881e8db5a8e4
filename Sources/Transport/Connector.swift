import CLinux
import EventLoops

/// Opens connections.
public enum Connector {
  /// The default time for name lookup and all addresses together: 10 s.
  public static let defaultTimeoutMilliseconds: UInt64 = 10_000

  /// Connects to `host` (a name or an address) and calls `done` once, on `loop`. The addresses of a name are tried side
  /// by side, each ``ConnectionAttempt/delayMilliseconds`` behind the one before; the first to connect wins. Loop only;
  /// on success `handler.connected` has been called before `done`.
  ///
  /// - Parameter source: the address of this machine to connect from, with port 0 for any; nil leaves it to the system.
  ///   Addresses of the other family are not tried then.
  @discardableResult
  public static func connect(
    loop: EventLoop, host: String, port: UInt16, from source: SocketAddress? = nil,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds, handler: ConnectionHandler,
    _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) -> ConnectionAttempt {
    let attempt = ConnectionAttempt(
      loop: loop, place: "\(host):\(port)", from: source, timeoutMilliseconds: timeoutMilliseconds,
      handler: handler, done)
    Resolver.resolve(host, port: port, on: loop) { attempt.resolved($0) }
    return attempt
  }

  /// Connects to an address, which may be a Unix socket's. Loop only.
  @discardableResult
  public static func connect(
    loop: EventLoop, to address: SocketAddress, from source: SocketAddress? = nil,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds, handler: ConnectionHandler,
    _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) -> ConnectionAttempt {
    let attempt = ConnectionAttempt(
      loop: loop, place: address.description, from: source, timeoutMilliseconds: timeoutMilliseconds,
      handler: handler, done)
    attempt.resolved(.success([address]))
    return attempt
  }

  /// Connects to `host` from anywhere. `makeHandler` runs on the loop.
  public static func connect(
    loop: EventLoop, host: String, port: UInt16, from source: SocketAddress? = nil,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Connection {
    try await onLoop(loop) { done in
      connect(
        loop: loop, host: host, port: port, from: source, timeoutMilliseconds: timeoutMilliseconds,
        handler: makeHandler(loop), done)
    }
  }

  /// Connects to an address from anywhere. `makeHandler` runs on the loop.
  public static func connect(
    loop: EventLoop, to address: SocketAddress, from source: SocketAddress? = nil,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Connection {
    try await onLoop(loop) { done in
      connect(
        loop: loop, to: address, from: source, timeoutMilliseconds: timeoutMilliseconds,
        handler: makeHandler(loop), done)
    }
  }

  private static func onLoop(
    _ loop: EventLoop,
    _ body: @escaping @Sendable (@escaping (Result<Connection, TransportError>) -> Void) -> ConnectionAttempt
  ) async throws(TransportError) -> Connection {
    let cancellation = AttemptCancellation(loop)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Connection, TransportError>, Never>) in
        loop.execute { cancellation.attempt = body { continuation.resume(returning: $0) } }
      }
    } onCancel: {
      loop.execute { cancellation.attempt?.cancel() }
    }
    return try result.get()
  }
}

/// Loop-confined; lets the cancellation of a task reach its attempt.
private final class AttemptCancellation: @unchecked Sendable {
  private let loop: EventLoop
  var attempt: ConnectionAttempt? {
    didSet { assert(loop.isCurrent) }
  }

  init(_ loop: EventLoop) { self.loop = loop }
}
