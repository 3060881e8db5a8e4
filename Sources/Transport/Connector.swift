import CLinux
import EventLoops

/// Opens connections.
public enum Connector {
  /// The default time for name lookup and all addresses together: 10 s.
  public static let defaultTimeoutMilliseconds: UInt64 = 10_000

  /// Connects to `host` (a name or an address) and calls `done` once, on `loop`. The addresses of a name are tried in
  /// order, each with its share of the time. Loop only; on success `handler.connected` has been called before `done`.
  @discardableResult
  public static func connect(
    loop: EventLoop, host: String, port: UInt16,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds, handler: ConnectionHandler,
    _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) -> ConnectionAttempt {
    let attempt = ConnectionAttempt(
      loop: loop, place: "\(host):\(port)", timeoutMilliseconds: timeoutMilliseconds, handler: handler, done)
    Resolver.resolve(host, port: port, on: loop) { attempt.resolved($0) }
    return attempt
  }

  /// Connects to an address, which may be a Unix socket's. Loop only.
  @discardableResult
  public static func connect(
    loop: EventLoop, to address: SocketAddress,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds, handler: ConnectionHandler,
    _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) -> ConnectionAttempt {
    let attempt = ConnectionAttempt(
      loop: loop, place: address.description, timeoutMilliseconds: timeoutMilliseconds, handler: handler, done
    )
    attempt.resolved(.success([address]))
    return attempt
  }

  /// Connects to `host` from anywhere. `makeHandler` runs on the loop.
  public static func connect(
    loop: EventLoop, host: String, port: UInt16,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Connection {
    try await onLoop(loop) { done in
      connect(
        loop: loop, host: host, port: port, timeoutMilliseconds: timeoutMilliseconds,
        handler: makeHandler(loop), done)
    }
  }

  /// Connects to an address from anywhere. `makeHandler` runs on the loop.
  public static func connect(
    loop: EventLoop, to address: SocketAddress,
    timeoutMilliseconds: UInt64 = defaultTimeoutMilliseconds,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Connection {
    try await onLoop(loop) { done in
      connect(
        loop: loop, to: address, timeoutMilliseconds: timeoutMilliseconds, handler: makeHandler(loop), done)
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

/// One try to connect, over all addresses of a host. Loop-confined.
public final class ConnectionAttempt: IOTarget, TimerTarget, @unchecked Sendable {
  private let loop: EventLoop
  private let place: String
  private let deadline: UInt64
  private var handler: ConnectionHandler?
  private var done: ((Result<Connection, TransportError>) -> Void)?
  private var addresses: ArraySlice<SocketAddress> = []
  private var current: SocketAddress?
  private var id = RegistrationID.none
  private var timer = TimerID.none
  private var lastError: Int32 = ETIMEDOUT

  init(
    loop: EventLoop, place: String, timeoutMilliseconds: UInt64, handler: ConnectionHandler,
    _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) {
    assert(loop.isCurrent)
    self.loop = loop
    self.place = place
    self.handler = handler
    self.done = done
    deadline = loop.nowMilliseconds &+ timeoutMilliseconds
    super.init()
    timer = loop.schedule(after: timeoutMilliseconds, self, token: 0)
  }

  /// Gives up; `done` hears `cancelled`. Nothing happens if the attempt has ended.
  public func cancel() {
    assert(loop.isCurrent)
    end(.failure(TransportError(.cancelled, "Connecting to \(place) was cancelled.")))
  }

  func resolved(_ answer: Result<[SocketAddress], TransportError>) {
    guard done != nil else { return }
    switch answer {
    case .success(let found):
      addresses = found[...]
      tryNext()
    case .failure(let error):
      end(.failure(error))
    }
  }

  private func tryNext() {
    while let address = addresses.popFirst() {
      do throws(IOError) {
        id = try loop.driver.connect(to: address, target: self)
        current = address
        let left = deadline > loop.nowMilliseconds ? deadline - loop.nowMilliseconds : 0
        loop.cancel(timer)
        timer = loop.schedule(after: left / UInt64(addresses.count + 1), self, token: 0)
        return
      } catch {
        lastError = error.errno
      }
    }
    // Later: `done` is not to be called inside the call that started the attempt.
    let error = TransportError.connecting(to: place, errno: lastError)
    loop.execute { self.end(.failure(error)) }
  }

  /// For the driver.
  public override func connectCompleted(_ error: Int32) {
    guard done != nil, let address = current else { return }
    guard error == 0, let handler else {
      lastError = error
      loop.driver.close(id, reset: false)
      return tryNext()
    }
    let connection = Connection(loop: loop, id: id, peer: address, handler: handler)
    id = .none
    connection.start()
    end(.success(connection))
  }

  /// For the driver.
  public override func failed(_ error: Int32) { connectCompleted(error) }

  /// For the driver.
  public override func loopStopped() { cancel() }

  /// For the loop: the time of the current address, or of the name lookup, is over.
  public func timerFired(_ token: UInt64) {
    loop.driver.close(id, reset: false)
    lastError = ETIMEDOUT
    tryNext()
  }

  private func end(_ result: Result<Connection, TransportError>) {
    guard let done else { return }
    self.done = nil
    handler = nil
    loop.cancel(timer)
    loop.driver.close(id, reset: false)
    done(result)
  }
}
