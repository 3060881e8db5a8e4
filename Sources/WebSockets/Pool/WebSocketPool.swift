import EventLoops
import Synchronization
import WebSocketCore

/// A bounded number of client connections to one or several upstreams, which are opened when they are needed, used again,
/// and replaced when they break or grow old.
///
/// ```swift
/// let pool = WebSocketPool("ws://127.0.0.1:9001/")
/// let reply = try await pool.request(.text("hello"))
/// await pool.shutdown()
/// ```
///
/// Who asks first is served first. A connection whose user may have left a reply on it is closed, so that nobody
/// gets what is another's. It lives on one loop; a program with more to do has one on each.
public final class WebSocketPool: Sendable {
  /// The loop that owns the connections; tasks that prefer it as executor use the pool without a thread hop.
  public let loop: EventLoop
  /// What has happened so far.
  public let counters: WebSocketPoolCounters
  let core: PoolCore
  private let tickets = Atomic<UInt64>(0)

  /// Makes a pool, which begins to open its minimum of connections.
  ///
  /// - Parameters:
  ///   - url: `ws://host[:port]/path?query`.
  ///   - options: bounds, times, how to connect.
  ///   - loop: the loop to live on; one of the shared group's if nil.
  public convenience init(
    _ url: String, options: WebSocketPoolOptions = WebSocketPoolOptions(), on loop: EventLoop? = nil
  ) {
    self.init([EndpointSelector.Endpoint(url)], options: options, on: loop)
  }

  /// Makes a pool over several upstreams.
  public convenience init(
    _ endpoints: [EndpointSelector.Endpoint], options: WebSocketPoolOptions = WebSocketPoolOptions(),
    on loop: EventLoop? = nil
  ) {
    self.init(
      endpoints, options: options, loop: loop ?? EventLoopGroup.singleton.next(),
      random: SystemRandomNumberGenerator())
  }

  init(
    _ endpoints: [EndpointSelector.Endpoint], options: WebSocketPoolOptions, loop: EventLoop,
    random: any RandomNumberGenerator & Sendable
  ) {
    self.loop = loop
    core = PoolCore(endpoints, options: options, loop: loop, random: random)
    counters = core.counters
    loop.execute { [core] in core.grow() }
  }

  deinit {
    let core = core
    loop.execute { core.shutdown(graceMilliseconds: 0, nil) }
  }

  // MARK: Use

  /// Runs the body with a connection of its own, on the pool's loop.
  ///
  /// When the body returns and has read a reply to each message that it sent (see ``WebSocketPoolOptions/leaseReuse``), the
  /// connection goes back into the pool; else, and when the body throws, it is closed.
  ///
  /// - Parameters:
  ///   - timeoutMilliseconds: how long to wait for a connection; nil for the options' time.
  ///   - body: uses the connection.
  /// - Throws: ``WebSocketError`` `timedOut`, `queueFull`, `poolClosed`, `cancelled`, or why no connection can be had; what the
  ///   body throws.
  public func withConnection<Output: Sendable>(
    timeoutMilliseconds: UInt64? = nil, _ body: @Sendable (WebSocketLease) async throws -> Output
  ) async throws -> Output {
    try await withTaskExecutorPreference(loop) {
      let lease: Result<WebSocketLease, WebSocketError> = await waiting { core, ticket, outcome in
        core.want(
          PoolWaiter(ticket: ticket, want: .lease(outcome)), timeoutMilliseconds: timeoutMilliseconds)
      }
      let own = try lease.get()
      do {
        let output = try await body(own)
        await finish(own, isBroken: false)
        return output
      } catch {
        await finish(own, isBroken: true)
        throw error
      }
    }
  }

  private func finish(_ lease: WebSocketLease, isBroken: Bool) async {
    await withUnsafeContinuation { (signal: UnsafeContinuation<Void, Never>) in
      if loop.isCurrent {
        lease.end(isBroken: isBroken)
        signal.resume()
      } else {
        loop.execute {
          lease.end(isBroken: isBroken)
          signal.resume()
        }
      }
    }
  }

  /// Sends a message on a connection that has nothing else to do, and returns the next one that comes on it.
  ///
  /// - Parameter timeoutMilliseconds: how long to wait for a connection; nil for the options' time. The reply has a
  ///   time of its own.
  /// - Throws: ``WebSocketError`` `timedOut` (the connection is then closed), `closedAbnormally` when the connection ended
  ///   before the reply, or as ``withConnection(timeoutMilliseconds:_:)``. The request may have been carried out; it is not
  ///   repeated.
  public nonisolated(nonsending) func request(
    _ message: WebSocketMessage, timeoutMilliseconds: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketMessage {
    try await waiting { core, ticket, outcome in
      core.want(
        PoolWaiter(ticket: ticket, want: .request(message, outcome)), timeoutMilliseconds: timeoutMilliseconds
      )
    }.get()
  }

  /// Sends a message with a number on a connection that others use at the same time, and returns the one with the
  /// same number that comes on it: ``WebSocketPoolOptions/correlation`` finds the number.
  ///
  /// - Parameter make: makes the message; the number is the pool's, and is given once.
  /// - Throws: as ``request(_:timeoutMilliseconds:)``; a reply that is too late harms nobody.
  public nonisolated(nonsending) func request(
    numbered make: @escaping @Sendable (UInt64) -> WebSocketMessage, timeoutMilliseconds: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketMessage {
    precondition(core.options.correlation != nil, "The pool's options say nothing about numbers of replies.")
    return try await waiting { core, ticket, outcome in
      core.want(
        PoolWaiter(ticket: ticket, want: .numbered(make, outcome)), timeoutMilliseconds: timeoutMilliseconds)
    }.get()
  }

  /// Sends a message for which no reply is expected, on the shared connection with the least to do. Returns when a
  /// connection took it.
  ///
  /// - Throws: as ``request(_:timeoutMilliseconds:)``.
  public nonisolated(nonsending) func send(
    _ message: WebSocketMessage, timeoutMilliseconds: UInt64? = nil
  ) async throws(WebSocketError) {
    let error: WebSocketError? = await waiting { core, ticket, outcome in
      core.want(
        PoolWaiter(ticket: ticket, want: .send(message, outcome)), timeoutMilliseconds: timeoutMilliseconds)
    }
    if let error { throw error }
  }

  /// Takes no more requests, waits for those under way, and closes the connections.
  ///
  /// - Parameter graceMilliseconds: when connections are cut. Default 5 s.
  public nonisolated(nonsending) func shutdown(graceMilliseconds: UInt64 = 5_000) async {
    await withUnsafeContinuation { (signal: UnsafeContinuation<Void, Never>) in
      loop.execute { [core] in core.shutdown(graceMilliseconds: graceMilliseconds, signal) }
    }
  }

  /// Connections that are open or opening.
  public nonisolated(nonsending) var connectionCount: Int {
    get async {
      await withUnsafeContinuation { continuation in
        loop.execute { [core] in continuation.resume(returning: core.members.count) }
      }
    }
  }

  /// Lets the task wait on the loop, or until it is cancelled.
  private nonisolated(nonsending) func waiting<Outcome: Sendable>(
    _ begin: @escaping @Sendable (PoolCore, UInt64, UnsafeContinuation<Outcome, Never>) -> Void
  ) async -> Outcome {
    let ticket = tickets.wrappingAdd(1, ordering: .relaxed).newValue
    let (loop, core) = (loop, core)
    return await withTaskCancellationHandler {
      await withUnsafeContinuation { outcome in
        if loop.isCurrent {
          begin(core, ticket, outcome)
        } else {
          loop.execute { begin(core, ticket, outcome) }
        }
        // A cancellation may have been posted before the waiter was in its place.
        if Task.isCancelled { loop.execute { core.cancel(ticket: ticket) } }
      }
    } onCancel: {
      loop.execute { core.cancel(ticket: ticket) }
    }
  }
}
