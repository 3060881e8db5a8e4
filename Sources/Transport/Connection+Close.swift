import EventLoops

extension Connection: TimerTarget {
  /// How long `close()` waits, in milliseconds, for the peer to read what is queued and to end its side: 5 s.
  public static let defaultLingerMilliseconds: UInt64 = 5_000

  /// Ends our side when the queue is empty (half-close). The peer may go on sending.
  public func finish() {
    assert(loop.isCurrent)
    guard isWritable else { return }
    flags.insert(.isFinishing)
    schedule()
  }

  /// Closes in order: what is queued is still delivered, then our side ends, and what the peer still sends is thrown
  /// away until it ends, too. Closing a socket with unread bytes would send a reset, which could destroy what the
  /// peer has not read yet. After `lingerMilliseconds` the connection is closed in any case.
  public func close(lingerMilliseconds: UInt64 = Connection.defaultLingerMilliseconds) {
    assert(loop.isCurrent)
    guard flags.isDisjoint(with: [.isClosing, .isClosed]) else { return }
    flags.insert([.isClosing, .isFinishing])
    makeExtras().lingerTimer = loop.schedule(
      after: lingerMilliseconds, self, token: ConnectionTimer.linger)
    if flags.contains(.isReadingPaused) { resumeReading() }
    if flags.contains(.endSent), flags.contains(.endReceived) { return terminate(.ended) }
    schedule()
  }

  /// Closes now and forgets what is queued; the peer sees a reset.
  public func abort() {
    assert(loop.isCurrent)
    terminate(.aborted, reset: true)
  }

  /// For the loop: the time of `close()`, or of a TLS handshake, is over.
  public func timerFired(_ token: UInt64) {
    if token == ConnectionTimer.handshake { return handshakeTimedOut() }
    extras?.lingerTimer = .none
    if flags.contains(.endSent) { terminate(.ended) } else { terminate(.lingerTimedOut, reset: true) }
  }

  /// The queue is empty: our side ends.
  func sendEnd() {
    guard !flags.contains(.endSent) else { return }
    flags.insert(.endSent)
    if flags.contains(.endReceived) { return terminate(.ended) }
    loop.driver.shutdownWrite(id)
  }

  /// Closes the socket; `closed` is called at the end of the turn, never inside the caller's call.
  func terminate(_ reason: ConnectionCloseReason, reset: Bool = false) {
    guard !flags.contains(.isClosed) else { return }
    flags.insert(.isClosed)
    let extras = makeExtras()
    extras.reason = leaveTLS(reason)
    loop.cancel(extras.lingerTimer)
    extras.lostByteCount += waitingByteCount
    lone = nil
    releaseQueue()
    // Before the peer can see the end: it may come again at once and find the place free.
    if let admission {
      self.admission = nil
      admission.leave()
      if flags.contains(.isCountedByAddress) { admission.leave(peerAddress) }
    }
    loop.driver.close(id, reset: reset)
    schedule()
  }

  func reportClosed() {
    guard !flags.contains(.closedReported) else { return }
    flags.insert(.closedReported)
    let last = handler
    handler = nil
    last?.closed(self, extras?.reason ?? .ended)
  }
}
