import COpenSSL
import EventLoops

extension Connection {
  /// Ciphertext from the driver.
  func receivedCiphertext(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) {
    guard let outer = session.outer else { return takeCiphertext(bytes, session) }
    receivedWrapped(bytes, session, in: outer)
  }

  func takeCiphertext(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) {
    guard !session.isHeld else { return session.held.append(contentsOf: bytes) }
    // A flood of handshakes is worked off beside everything else: each takes as long as a thousand messages.
    if session.handshake != nil, session.outer == nil, loop.isTurnLong { return hold(bytes) }
    flags.insert(.isHandlingRead)
    decrypt(bytes, session)
    flags.remove(.isHandlingRead)
    flush()
  }

  /// Keeps what has arrived until reading goes on, or until the end of the turn.
  func hold(_ bytes: some Sequence<UInt8>) {
    tls?.held = Array(bytes)
    tls?.isHeld = true
    loop.driver.pauseReceiving(id)
    if !flags.contains(.isReadingPaused) { schedule() }
  }

  /// At the end of the turn in which reading was resumed.
  func takeUpHeld(_ session: TLSSession) {
    let bytes = session.held
    session.held = []
    session.isHeld = false
    if flags.isDisjoint(with: [.isClosing, .isClosed]) {
      flags.insert(.isHandlingRead)
      bytes.withUnsafeBytes { decrypt($0, session) }
      flags.remove(.isHandlingRead)
    }
    guard !session.isHeld, flags.isDisjoint(with: [.isReadingPaused, .isClosed, .endReceived]) else { return }
    loop.driver.resumeReceiving(id)
  }

  /// The end of the byte stream underneath.
  func receivedEndOfCiphertext(_ session: TLSSession) {
    guard session.handshake == nil else {
      flags.insert(.endReceived)
      return failTLS(session, TLSFailure.endedInHandshake(session.role))
    }
    // After close_notify it was reported already.
    guard !flags.contains(.endReceived) else { return }
    flags.insert(.isTruncated)
    reportEnd()
  }

  /// Hands out the plaintext until the input is used up, reading is paused or the connection ends.
  private func decrypt(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) {
    let plaintext = session.shared.plaintext
    var input = bytes
    while flags.isDisjoint(with: [.isClosing, .isClosed, .endReceived]) {
      if session.handshake != nil {
        guard shakeHands(&input, session) else { return }
      } else if flags.contains(.isReadingPaused) {
        return hold(input)
      } else {
        let (count, outcome) = session.read(&input, into: plaintext)
        keepOutput(session)
        if count > 0, !flags.contains(.isClosed) {
          handOut(UnsafeMutableRawBufferPointer(rebasing: plaintext[..<count]))
          if tls !== session, let inner = tls { return handOver(input, outcome, to: inner) }
        }
        guard go(on: outcome, input, session) else { return }
      }
    }
  }

  /// One step of the handshake. False: nothing more can be done now.
  private func shakeHands(_ input: inout UnsafeRawBufferPointer, _ session: TLSSession) -> Bool {
    let outcome = session.shakeHands(&input)
    keepOutput(session)
    switch outcome {
    case .done:
      // In TLS 1.2 the end of the handshake is among it.
      session.ticketsWait = session.role == .server && SSL_version(session.ssl) == TLS1_3_VERSION
      handshakeSucceeded(session)
      return true
    case .failed(let error): failTLS(session, error)
    case .needsInput, .ended: break
    }
    return false
  }

  /// What follows a read. False: nothing more can be done now.
  private func go(
    on outcome: TLSSession.Outcome, _ input: UnsafeRawBufferPointer, _ session: TLSSession
  ) -> Bool {
    switch outcome {
    case .done: return true
    case .needsInput: return false
    case .failed(let error): failTLS(session, error)
    case .ended:
      guard flags.isDisjoint(with: [.isClosing, .isClosed]) else { return false }
      // As the end of a plain stream, it is not reported while reading is paused; OpenSSL says it again.
      if flags.contains(.isReadingPaused) {
        hold([])
      } else {
        loop.driver.pauseReceiving(id)
        reportEnd()
      }
    }
    return false
  }
}
