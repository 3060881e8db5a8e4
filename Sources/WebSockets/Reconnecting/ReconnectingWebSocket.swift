import EventLoops
import Synchronization
import WebSocketCore

/// A client's WebSocket that comes back when its connection is lost: it waits, connects again, and goes on.
///
/// ```swift
/// let socket = ReconnectingWebSocket("wss://example.com/feed")
/// socket.start()
/// for try await message in socket { print(message) }
/// ```
///
/// The iteration goes on across connections; it ends after ``close(code:reason:)`` or the server's normal closure, and
/// throws when no further attempt is made. Messages that are sent while there is no connection wait in a bounded queue.
/// A message is delivered at most once: what the system took before the connection died is not sent again.
///
/// It lives on one loop. When the last reference to it goes, the connection is closed; callbacks that refer to it strongly
/// keep it until it is closed.
public final class ReconnectingWebSocket: Sendable {
  /// The loop that owns its connections; tasks that prefer it as executor use the socket without a thread hop.
  public let loop: EventLoop
  let core: ReconnectingCore
  let tickets = Atomic<UInt64>(0)

  /// Makes a socket that does nothing before ``start()`` or ``connect()``.
  ///
  /// - Parameters:
  ///   - url: `ws://host[:port]/path?query`.
  ///   - options: delays, limits, hooks.
  ///   - events: closures that are called as things happen, on the loop.
  ///   - loop: the loop to live on; one of the shared group's if nil.
  public convenience init(
    _ url: String, options: ReconnectingWebSocketOptions = ReconnectingWebSocketOptions(),
    events: Events = Events(), on loop: EventLoop? = nil
  ) {
    self.init([EndpointSelector.Endpoint(url)], options: options, events: events, on: loop)
  }

  /// Makes a socket with several URLs, of which each attempt chooses one as the options say.
  public convenience init(
    _ endpoints: [EndpointSelector.Endpoint],
    options: ReconnectingWebSocketOptions = ReconnectingWebSocketOptions(), events: Events = Events(),
    on loop: EventLoop? = nil
  ) {
    self.init(
      endpoints, options: options, events: events, loop: loop ?? EventLoopGroup.singleton.next(),
      random: SystemRandomNumberGenerator())
  }

  init(
    _ endpoints: [EndpointSelector.Endpoint], options: ReconnectingWebSocketOptions, events: Events,
    loop: EventLoop, random: any RandomNumberGenerator & Sendable
  ) {
    self.loop = loop
    core = ReconnectingCore(endpoints, options: options, events: events, loop: loop, random: random)
  }

  deinit {
    let core = core
    loop.execute { core.close(code: .goingAway, reason: "") }
  }

  // MARK: Life

  /// Begins to connect, once. Any thread.
  public func start() {
    loop.execute { [core] in core.start() }
  }

  /// Begins to connect, and returns when a connection is open for the first time.
  ///
  /// - Throws: ``WebSocketError`` when no further attempt is made; `cancelled` when the task is cancelled, which does not
  ///   end the socket.
  public nonisolated(nonsending) func connect() async throws(WebSocketError) {
    try await waiting { core, outcome, ticket in
      core.start()
      core.wait(forOpen: ReconnectingCore.Waiter(ticket: ticket, message: nil, outcome: outcome))
    }
  }

  /// Ends the wait for the next attempt, for example because the network has come back. An open connection is
  /// probed by a ping. Any thread.
  public func reconnectNow() {
    loop.execute { [core] in core.reconnectNow() }
  }

  /// Sends what waits for the connection, completes the closing handshake, and makes no further attempt. Returns
  /// when the connection is gone. Where there is no connection, what waits is dropped.
  ///
  /// - Parameters:
  ///   - code: a code that may be sent (1000, 3000–4999, …).
  ///   - reason: at most 123 bytes of UTF-8.
  public nonisolated(nonsending) func close(code: CloseCode = .normal, reason: String = "") async {
    await withUnsafeContinuation { (signal: UnsafeContinuation<Void, Never>) in
      loop.execute { [core] in
        core.close(code: code, reason: reason)
        if case .closed = core.phase { signal.resume() } else { core.closeSignals.append(signal) }
      }
    }
  }

  /// Begins to close, as ``close(code:reason:)``, and does not wait. Any thread.
  public func stop(code: CloseCode = .normal, reason: String = "") {
    loop.execute { [core] in core.close(code: code, reason: reason) }
  }

  // MARK: What is known

  /// What it is doing.
  public nonisolated(nonsending) var state: State {
    get async { await onLoop { $0.state } }
  }

  /// The time to the peer and back, once a ping of the heartbeat was answered.
  public nonisolated(nonsending) var roundTripTime: RoundTripTime? {
    get async { await onLoop { $0.meter.time } }
  }

  /// What has happened so far.
  public nonisolated(nonsending) var statistics: Statistics {
    get async {
      await onLoop { core in
        var statistics = core.statistics
        statistics.queuedMessages = core.queue.count
        statistics.queuedBytes = core.queue.byteCount
        return statistics
      }
    }
  }

  nonisolated(nonsending) func onLoop<T: Sendable>(
    _ body: @escaping @Sendable (ReconnectingCore) -> T
  ) async -> T {
    if loop.isCurrent { return body(core) }
    return await withUnsafeContinuation { continuation in
      loop.execute { [core] in continuation.resume(returning: body(core)) }
    }
  }

  /// Lets the task wait on the loop, or until it is cancelled.
  nonisolated(nonsending) func waiting(
    _ begin: @escaping @Sendable (ReconnectingCore, ReconnectingCore.Outcome, UInt64) -> Void
  ) async throws(WebSocketError) {
    let ticket = tickets.wrappingAdd(1, ordering: .relaxed).newValue
    let (loop, core) = (loop, core)
    let error = await withTaskCancellationHandler {
      await withUnsafeContinuation { (outcome: ReconnectingCore.Outcome) in
        if loop.isCurrent {
          begin(core, outcome, ticket)
        } else {
          loop.execute { begin(core, outcome, ticket) }
        }
        // A cancellation may have been posted before the waiter was in its place.
        if Task.isCancelled { loop.execute { core.cancelWaiter(ticket: ticket) } }
      }
    } onCancel: {
      loop.execute { core.cancelWaiter(ticket: ticket) }
    }
    if let error { throw error }
  }
}
