import EventLoops
import Transport
import WebSocketCore

extension ReconnectingCore {
  /// The connection under way has ended.
  func lost(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    let wasOpen = if case .open = phase { true } else { false }
    let wasClosing = if case .closing = phase { true } else { false }
    forgetConnection(connection, code: code, reason: reason)
    takeBack(from: connection)
    let isNormal = code == .normal || code == .goingAway || code == .noStatus
    let error = WebSocketError(
      .closedAbnormally, reason.isEmpty ? "The connection was closed." : reason, closeCode: code)
    if wasClosing {
      return finish(.success(()), code: code, reason: reason)
    }
    if backoff.closed(now: loop.nowMilliseconds) {
      failures = 0
      outageStart = loop.nowMilliseconds
    } else {
      failures += 1
      if !isNormal { selector.failed(endpoint, now: loop.nowMilliseconds) }
    }
    if isNormal { lastError = error } else { tell(error) }
    let stops = options.retry.decision(for: error) == .stop || loop.isStopping
    if stops, isNormal {
      return finish(.success(()), code: code, reason: reason)
    }
    if wasOpen, !stops { events.onClose?(.init(code: code, reason: reason, isFinal: false)) }
    retry(after: error)
  }

  /// Waits for the next attempt, or gives up.
  func retry(after error: WebSocketError) {
    let policy = options.retry
    guard policy.decision(for: error) == .retry, !loop.isStopping else {
      return finish(.failure(error), code: error.closeCode ?? .abnormal, reason: error.message)
    }
    let now = loop.nowMilliseconds
    let elapsed = now - outageStart
    if policy.maximumAttempts.map({ failures >= $0 }) == true
      || policy.giveUpMilliseconds.map({ elapsed >= $0 }) == true
    {
      return giveUp(error)
    }
    var (delay, overflow) = backoff.nextDelay(using: &random).addingReportingOverflow(
      policy.retryAfterMilliseconds(of: error))
    if overflow { delay = .max }
    if let total = policy.giveUpMilliseconds { delay = min(delay, total - elapsed) }
    let (until, isBeyond) = now.addingReportingOverflow(delay)
    phase = .waiting(until: isBeyond ? .max : until)
    set(.retry, after: delay)
    settleWaiters()
    events.onReconnecting?(failures + 1, delay)
  }

  private func giveUp(_ error: WebSocketError) {
    var last = WebSocketError(
      .gaveUp, "No further attempt to connect is made: \(error.message)", closeCode: error.closeCode,
      status: error.status, cause: error)
    last.retryAfterSeconds = error.retryAfterSeconds
    finish(.failure(last), code: error.closeCode ?? .abnormal, reason: last.message)
  }

  private func forgetConnection(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    cancel(.heartbeat)
    cancel(.pong)
    isAwaitingPong = false
    meter.forgetPending()
    endHook()
    hookInbox?.closed(connection, code: code, reason: reason)
    hookInbox = nil
    inbox.detach()
    link = nil
    attempt = nil
    self.connection = nil
    selector.ended(endpoint)
  }

  /// Messages that a dead connection took and did not send.
  private func takeBack(from connection: WebSocketConnection) {
    let taken = unsent.takeAll(flushed: connection.flushedByteCount)
    if options.unsent == .resend, closeRequest == nil {
      queue.prepend(taken)
      statistics.resentMessages += taken.count
    } else {
      statistics.droppedMessages += taken.count
    }
  }

  /// Gives up the attempt or connection under way without waiting for its end.
  func abandonLink(code: CloseCode, reason: String) {
    attempt?.cancel()
    attempt = nil
    endHook()
    if let connection {
      forgetConnection(connection, code: code, reason: reason)
      connection.close(code: code, reason: reason)
    } else if link != nil, hasEndpoint {
      selector.ended(endpoint)
    }
    link = nil
  }

  private var hasEndpoint: Bool { selector.endpoints.indices.contains(endpoint) }

  /// The time for flushing before the user's close is over.
  func closeNow() {
    guard let request = closeRequest else { return }
    statistics.droppedMessages += queue.removeAll()
    failSenders()
    connection?.close(code: request.code, reason: request.reason)
  }

  /// The end of all: every waiter hears of it, and what could hold the socket's user is let go.
  func finish(_ ending: Result<Void, WebSocketError>, code: CloseCode, reason: String) {
    if case .closed = phase { return }
    phase = .closed
    self.ending = ending
    cancelTimers()
    endHook()
    statistics.droppedMessages += queue.removeAll()
    let error = endingError
    let waiters = openWaiters
    openWaiters = []
    for waiter in waiters { waiter.outcome.resume(returning: error) }
    failSenders()
    inbox.finish(ending, code: code, reason: reason)
    options.refresh = nil
    options.resubscribe = nil
    let onClose = events.onClose
    events = ReconnectingWebSocket.Events()
    onClose?(.init(code: code, reason: reason, isFinal: true))
    let signals = closeSignals
    closeSignals = []
    for signal in signals { signal.resume() }
  }

  /// What who wants to send is told now.
  var endingError: WebSocketError {
    if case .failure(let error) = ending { return error }
    return WebSocketError(.notOpen, "The socket is closed.")
  }

  func failSenders() {
    let waiters = sendWaiters
    sendWaiters = []
    for waiter in waiters { waiter.outcome.resume(returning: endingError) }
  }
}
