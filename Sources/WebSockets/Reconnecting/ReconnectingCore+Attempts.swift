import EventLoops
import Transport
import WebSocketCore

extension ReconnectingCore {
  func beginAttempt() {
    cancel(.retry)
    let link = ReconnectingLink(self)
    self.link = link
    phase = .connecting
    guard let index = selector.selectAny(now: loop.nowMilliseconds, using: &random) else {
      return attemptFailed(WebSocketError(.invalidURL, "There is no URL to connect to."))
    }
    endpoint = index
    selector.began(index)
    let target = ConnectionTarget(url: selector.endpoints[index].url, options: options.connection)
    guard let refresh = options.refresh else { return open(target, link) }
    let number = failures + 1
    runHook { core in
      do {
        let fresh = try await refresh(target, number)
        return { if core.link === link { core.open(fresh, link) } }
      } catch {
        let failure = WebSocketError(
          .refreshFailed, "The address for the attempt could not be had: \(error)", cause: error)
        return { if core.link === link { core.refreshFailed(failure) } }
      }
    }
  }

  /// Runs one of the user's closures as a task on the loop; what comes of it is done on the loop then.
  private func runHook(_ hook: @escaping @Sendable (ReconnectingCore) async -> @Sendable () -> Void) {
    set(.hook, after: options.hookTimeoutMilliseconds)
    hookTask = Task(executorPreference: loop) {
      let finish = await hook(self)
      self.loop.execute(finish)
    }
  }

  func endHook() {
    cancel(.hook)
    hookTask?.cancel()
    hookTask = nil
  }

  func hookTimedOut() {
    let error = WebSocketError(.timedOut, "The closure that prepares a connection took too long.")
    abandonLink(code: .goingAway, reason: "")
    connectionFailed(error)
  }

  private func refreshFailed(_ error: WebSocketError) {
    endHook()
    abandonLink(code: .normal, reason: "")
    tell(error)
    finish(.failure(error), code: .abnormal, reason: error.message)
  }

  private func open(_ target: ConnectionTarget, _ link: ReconnectingLink) {
    endHook()
    var connectionOptions = target.options
    connectionOptions.socket.delivery = .whole
    if options.heartbeatIntervalMilliseconds > 0 {
      connectionOptions.socket.keepaliveIntervalMilliseconds = 0
    }
    attempt = WebSocketClient.connect(to: target.url, on: loop, options: connectionOptions, handler: link) {
      [self] result in
      guard self.link === link else { return }
      attempt = nil
      if case .failure(let error) = result { attemptFailed(error) }
    }
  }

  func attemptFailed(_ error: WebSocketError) {
    if link != nil, selector.endpoints.indices.contains(endpoint) {
      selector.ended(endpoint)
      selector.failed(endpoint, now: loop.nowMilliseconds)
    }
    link = nil
    connectionFailed(error)
  }

  /// Counts a failure, tells of it, and waits for the next attempt or gives up.
  func connectionFailed(_ error: WebSocketError) {
    failures += 1
    statistics.failedAttempts += 1
    tell(error)
    retry(after: error)
  }

  func tell(_ error: WebSocketError) {
    lastError = error
    events.onError?(error)
  }

  /// The connection is there.
  func opened(_ connection: WebSocketConnection) {
    self.connection = connection
    attempt = nil
    selector.succeeded(endpoint)
    backoff.opened(now: loop.nowMilliseconds)
    statistics.connections += 1
    guard let resubscribe = options.resubscribe, let link else { return becomeOpen(connection) }
    phase = .preparing
    let inbox = WebSocketInbox(highWatermark: options.connection.socket.limits.maximumMessageBytes)
    inbox.opened(connection)
    hookInbox = inbox
    let socket = WebSocket(connection: connection, inbox: inbox)
    runHook { core in
      do {
        try await resubscribe(socket)
        return { if core.link === link { core.prepared(connection) } }
      } catch {
        let failure = WebSocketError(
          .resubscribeFailed, "The fresh connection could not be prepared: \(error)", cause: error)
        return { if core.link === link { core.resubscribeFailed(failure) } }
      }
    }
  }

  private func prepared(_ connection: WebSocketConnection) {
    endHook()
    becomeOpen(connection)
  }

  private func resubscribeFailed(_ error: WebSocketError) {
    endHook()
    abandonLink(code: .normal, reason: "")
    connectionFailed(error)
  }

  private func becomeOpen(_ connection: WebSocketConnection) {
    phase = .open
    startHeartbeat()
    events.onOpen?()
    let waiters = openWaiters
    openWaiters = []
    for waiter in waiters { waiter.outcome.resume(returning: nil) }
    // What the hook left unread.
    while let held = hookInbox?.takeNow(), case .success(.message(let message)?) = held {
      if let onMessage = events.onMessage { onMessage(message) } else { inbox.received(message) }
    }
    // Behind the hook's inbox, whose last word is to read: what waits for the user may say otherwise.
    inbox.opened(connection)
    pump()
  }
}
