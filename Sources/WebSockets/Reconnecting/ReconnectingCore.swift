import EventLoops
import Transport
import WebSocketCore

/// What a ``ReconnectingWebSocket`` is on its loop: one connection after the other, and what outlives them. Loop-confined.
///
/// The public object keeps this alive, and this keeps the connection under way: not the other way round, so that a
/// socket that its user has dropped ends.
final class ReconnectingCore: @unchecked Sendable {
  enum Phase {
    case idle
    /// The refresh hook runs, or an attempt is under way.
    case connecting
    /// The resubscribe hook runs.
    case preparing
    case open
    /// The queue is flushed, or the closing handshake is under way, after the user's close.
    case closing
    case waiting(until: UInt64)
    case closed
  }

  enum Timer: UInt64 { case retry, heartbeat, pong, hook, close }

  typealias Signal = UnsafeContinuation<Void, Never>
  typealias Outcome = UnsafeContinuation<WebSocketError?, Never>

  /// A task that waits to send, or for a connection.
  struct Waiter {
    let ticket: UInt64
    let message: WebSocketMessage?
    let outcome: Outcome
  }

  let loop: EventLoop
  var options: ReconnectingWebSocketOptions
  var events: ReconnectingWebSocket.Events
  let inbox: WebSocketInbox
  var statistics = ReconnectingWebSocket.Statistics()
  var random: any RandomNumberGenerator & Sendable
  var selector: EndpointSelector
  var backoff: Backoff
  var phase = Phase.idle
  /// When the failures under way began: the start, or the end of the last stable connection.
  var outageStart: UInt64 = 0
  /// Attempts that failed in a row, and connections that did not last.
  var failures = 0
  var lastError: WebSocketError?

  /// The attempt or connection under way; events of any other are stale.
  var link: ReconnectingLink?
  var endpoint = 0
  var attempt: WebSocketAttempt?
  var connection: WebSocketConnection?
  var hookTask: Task<Void, Never>?
  /// Holds messages while the resubscribe hook runs.
  var hookInbox: WebSocketInbox?
  var timers = [TimerID](repeating: .none, count: 5)
  var meter = RoundTripMeter()
  var hasHeardSincePing = false
  var isAwaitingPong = false

  var queue: MessageQueue
  var unsent = UnsentMessages()
  var sendWaiters: [Waiter] = []
  var openWaiters: [Waiter] = []
  var closeSignals: [Signal] = []
  var closeRequest: (code: CloseCode, reason: String)?
  /// Why it has ended, once it has.
  var ending: Result<Void, WebSocketError>?

  init(
    _ endpoints: [EndpointSelector.Endpoint], options: ReconnectingWebSocketOptions,
    events: ReconnectingWebSocket.Events, loop: EventLoop, random: any RandomNumberGenerator & Sendable
  ) {
    self.loop = loop
    self.options = options
    self.events = events
    self.random = random
    selector = EndpointSelector(endpoints, strategy: options.selection, health: options.health)
    backoff = options.backoff
    inbox = WebSocketInbox(highWatermark: options.connection.socket.limits.maximumMessageBytes)
    queue = MessageQueue(
      maximumMessages: options.maximumQueuedMessages, maximumBytes: options.maximumQueuedBytes)
  }

  var state: ReconnectingWebSocket.State {
    switch phase {
    case .idle: .idle
    case .connecting, .preparing: .connecting
    case .open: .open
    case .closing: .closing
    case .waiting(let until): .waiting(untilMilliseconds: until)
    case .closed: .closed
    }
  }

  // MARK: Requests of the user

  func start() {
    guard case .idle = phase else { return }
    outageStart = loop.nowMilliseconds
    beginAttempt()
  }

  func reconnectNow() {
    switch phase {
    case .waiting: beginAttempt()
    case .open: beat()
    case .idle, .connecting, .preparing, .closing, .closed: break
    }
  }

  func close(code: CloseCode, reason: String) {
    switch phase {
    case .closing, .closed:
      break
    case .open:
      phase = .closing
      closeRequest = (code, reason)
      set(.close, after: options.connection.socket.closeTimeoutMilliseconds)
      pump()
    case .idle, .connecting, .preparing, .waiting:
      abandonLink(code: code, reason: reason)
      finish(.success(()), code: code, reason: reason)
    }
  }

  func wait(forOpen waiter: Waiter) {
    switch phase {
    case .open: waiter.outcome.resume(returning: nil)
    case .closing, .closed: waiter.outcome.resume(returning: endingError)
    case .idle, .connecting, .preparing, .waiting: openWaiters.append(waiter)
    }
  }

  /// Ends the wait of a cancelled task.
  func cancelWaiter(ticket: UInt64) {
    let error = WebSocketError(.cancelled, "The task was cancelled.")
    if let index = openWaiters.firstIndex(where: { $0.ticket == ticket }) {
      openWaiters.remove(at: index).outcome.resume(returning: error)
    } else if let index = sendWaiters.firstIndex(where: { $0.ticket == ticket }) {
      sendWaiters.remove(at: index).outcome.resume(returning: error)
    }
  }

  // MARK: Timers

  func set(_ timer: Timer, after milliseconds: UInt64) {
    cancel(timer)
    timers[Int(timer.rawValue)] = loop.schedule(after: milliseconds, self, token: timer.rawValue)
  }

  func cancel(_ timer: Timer) {
    loop.cancel(timers[Int(timer.rawValue)])
    timers[Int(timer.rawValue)] = .none
  }

  func cancelTimers() {
    for timer in [.retry, .heartbeat, .pong, .hook, .close] as [Timer] { cancel(timer) }
  }
}

extension ReconnectingCore: TimerTarget {
  func timerFired(_ token: UInt64) {
    guard let timer = Timer(rawValue: token) else { return }
    timers[Int(token)] = .none
    switch timer {
    case .retry: beginAttempt()
    case .heartbeat: beat()
    case .pong: checkPong()
    case .hook: hookTimedOut()
    case .close: closeNow()
    }
  }
}
