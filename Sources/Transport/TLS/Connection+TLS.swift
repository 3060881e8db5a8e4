import Bytes
import EventLoops

extension Connection {
  /// Starts TLS as the client: the next bytes are the handshake's. What is written before it is done follows it.
  ///
  /// `done` is called once, on the loop and never inside this call: with success before any plaintext arrives; with a
  /// failure before the handler's `closed`. What the handler pauses is the plaintext, from then on.
  ///
  /// On a connection that speaks TLS already, to a proxy, this is TLS within TLS, to the server behind it.
  ///
  /// - Parameters:
  ///   - client: trust and sessions.
  ///   - host: the name or address that the server must prove to be.
  ///   - port: with the host, the name under which sessions are kept.
  ///   - timeoutMilliseconds: time for the handshake.
  ///   - done: told how the handshake ended.
  package func startTLS(
    client: TLSClientContext, host: String, port: UInt16, timeoutMilliseconds: UInt64 = 10_000,
    done: @escaping (Result<Void, TransportError>) -> Void
  ) {
    assert(loop.isCurrent && tls?.handshake == nil)
    do throws(TransportError) {
      let session = try client.makeSession(host: host, port: port, shared: shared.tls)
      let before = tls
      if let before { wrap(session, in: before) }
      begin(session, counters: nil, timeout: timeoutMilliseconds, done)
      // The first flight is ours; it is made at the turn's end.
      hold([])
      if let before { takeHeld(of: before, session) }
    } catch {
      refuseTLS(error, done)
    }
  }

  /// Starts TLS as the server. `buffered` is what has arrived of it already, behind something else (a PROXY header).
  ///
  /// `done` is called as for a client.
  package func startTLS(
    server: TLSServerContext, counters: TLSCounters, buffered: [UInt8] = [],
    done: @escaping (Result<Void, TransportError>) -> Void
  ) {
    assert(loop.isCurrent && tls == nil)
    let (options, snapshot) = server.now
    let shared = shared.tls
    guard shared.handshakeCount < options.maximumHandshakesPerLoop else {
      counters.refused.count()
      return refuseTLS(TransportError(.outOfResources, "Too many TLS handshakes are under way."), done)
    }
    guard let session = TLSSession(.server, context: snapshot.first, owner: snapshot, shared: shared) else {
      return refuseTLS(TLSFailure.outOfMemory, done)
    }
    begin(session, counters: counters, timeout: options.handshakeTimeoutMilliseconds, done)
    if !buffered.isEmpty { hold(buffered) }
  }

  /// Whether the connection speaks TLS, and the handshake is done.
  public var isSecure: Bool { tls.map { $0.handshake == nil } ?? false }

  /// The peer ended the stream without saying so in TLS (RFC 8446 §6.1): somebody on the way may have cut it. What has
  /// a length of its own, as messages have, is not in doubt; a body that ends with the stream is.
  public var isTruncated: Bool { flags.contains(.isTruncated) }

  /// The certificate that the peer has proved to hold; nil without TLS, or if it gave none.
  public var peerCertificate: TLSPeerCertificate? { isSecure ? tls?.peerCertificate : nil }

  /// What TLS has agreed on; nil without TLS.
  public var tlsDescription: TLSDescription? { isSecure ? tls?.description : nil }

  // MARK: the handshake

  private func begin(
    _ session: TLSSession, counters: TLSCounters?, timeout: UInt64,
    _ done: @escaping (Result<Void, TransportError>) -> Void
  ) {
    let timer = loop.schedule(after: timeout, self, token: ConnectionTimer.handshake)
    session.handshake = TLSHandshake(timer: timer, counters: counters, done: done)
    if session.role == .server { shared.tls.handshakeCount += 1 }
    tls = session
    resumeReading()
  }

  private func refuseTLS(_ error: TransportError, _ done: @escaping (Result<Void, TransportError>) -> Void) {
    terminate(.tlsFailed(error), reset: true)
    later(loop) { done(.failure(error)) }
  }

  /// The handshake's end; who waited for it must be told by the caller.
  private func endHandshake(_ session: TLSSession) -> TLSHandshake? {
    guard let handshake = session.handshake else { return nil }
    session.handshake = nil
    loop.cancel(handshake.timer)
    if session.role == .server { shared.tls.handshakeCount -= 1 }
    return handshake
  }

  func handshakeSucceeded(_ session: TLSSession) {
    guard let handshake = endHandshake(session) else { return }
    handshake.counters?.handshakes.count()
    if session.isResumed { handshake.counters?.resumed.count() }
    handshake.done(.success(()))
  }

  /// The deadline.
  func handshakeTimedOut() {
    guard let session = tls, let handshake = endHandshake(session) else { return }
    handshake.counters?.timedOut.count()
    let error = TLSFailure.timedOut(session.role)
    terminate(.tlsFailed(error), reset: true)
    handshake.done(.failure(error))
  }

  /// TLS cannot go on: the peer is told by the alert that OpenSSL has made, and the connection ends.
  func failTLS(_ session: TLSSession, _ error: TransportError) {
    guard session.failure == nil, !flags.contains(.isClosed) else { return }
    session.failure = error
    let handshake = endHandshake(session)
    handshake?.counters?.failed.count()
    lone = nil
    releaseQueue()
    close(lingerMilliseconds: ConnectionTimer.alertLingerMilliseconds)
    // Now, because who is told may cut the connection.
    flush()
    handshake?.done(.failure(error))
  }

  /// The connection is being closed: for what reason, and is a handshake waited for?
  func leaveTLS(_ reason: ConnectionCloseReason) -> ConnectionCloseReason {
    guard let session = tls else { return reason }
    tls = nil
    if let queue = session.ciphertext { loop.giveBack(queue) }
    session.ciphertext = nil
    if let handshake = endHandshake(session) {
      handshake.counters?.failed.count()
      let error = TransportError(.tlsFailed, "The connection ended during the TLS handshake.")
      later(loop) { handshake.done(.failure(error)) }
    }
    return session.failure.map { .tlsFailed($0) } ?? reason
  }
}

/// Runs `work`, which belongs to the loop, later on it.
private func later(_ loop: EventLoop, _ work: @escaping () -> Void) {
  nonisolated(unsafe) let work = work
  loop.execute { work() }
}

/// What a connection's timers are for.
enum ConnectionTimer {
  static let linger: UInt64 = 0
  static let handshake: UInt64 = 1
  /// How long a peer that TLS failed with has to read the alert.
  static let alertLingerMilliseconds: UInt64 = 1_000
}
