import EventLoops
import WebSocketCore

extension WebSocketConnection {
  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func timerFired(_ token: UInt64) {
    timer = .none
    // Otherwise the peer has not completed the closing handshake in time, or has not ended the stream.
    if closing.state == .open { return beat() }
    registry?.counters.closeTimeouts.count()
    stream.abort()
  }

  /// One timer serves the whole life: heartbeat while open, the deadline of the closing handshake then.
  func setTimer() {
    cancelTimer()
    let delay: UInt64
    if closing.state == .open {
      guard let next = keepalive.delay(options.keepaliveLimits, now: loop.nowMilliseconds) else { return }
      delay = next
    } else {
      delay = options.closeTimeoutMilliseconds
    }
    timer = loop.schedule(after: delay, self, token: 0)
  }

  func cancelTimer() {
    loop.cancel(timer)
    timer = .none
  }

  private func beat() {
    // Whom we do not read from cannot show that it is alive.
    if reading.contains(.isPaused) { keepalive.received(now: loop.nowMilliseconds) }
    switch keepalive.tick(options.keepaliveLimits, now: loop.nowMilliseconds) {
    case .none:
      break
    case .sendPing:
      ping()
    case .expired:
      registry?.counters.pongTimeouts.count()
      _ = closing.fail(reason: "The peer did not answer a ping in time.")
      stream.abort()
      return
    }
    setTimer()
  }
}

extension WebSocketOptions {
  fileprivate var keepaliveLimits: Keepalive.Limits {
    Keepalive.Limits(
      intervalMilliseconds: keepaliveIntervalMilliseconds, deadlineMilliseconds: pongDeadlineMilliseconds)
  }
}
