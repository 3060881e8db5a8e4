import EventLoops

/// TLS within TLS: to a server through a proxy that is spoken to by TLS itself. The connection's session is the inner one;
/// its ciphertext is the outer one's plaintext, in both directions.
extension Connection {
  /// What the connection has spoken so far becomes the outer session of `session`.
  func wrap(_ session: TLSSession, in outer: TLSSession) {
    session.outer = outer
    // Records of the outer one that have not left yet go first.
    session.ciphertext = outer.ciphertext
    outer.ciphertext = nil
  }

  /// Takes what had arrived while reading was paused.
  func takeHeld(of outer: TLSSession, _ session: TLSSession) {
    let held = outer.held
    outer.held = []
    if !held.isEmpty { held.withUnsafeBytes { receivedCiphertext($0, session) } }
  }

  /// The outer session's handler has begun the inner one: what is left of the input is that one's.
  func handOver(_ input: UnsafeRawBufferPointer, _ outcome: TLSSession.Outcome, to session: TLSSession) {
    if case .failed(let error) = outcome { return failTLS(session, error) }
    receivedCiphertext(input, session)
  }

  /// Records of the outer session, from the driver.
  func receivedWrapped(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession, in outer: TLSSession) {
    let plaintext = session.shared.plaintext
    var input = bytes
    var outcome = TLSSession.Outcome.done
    // Copied, because the loop has room for one session's plaintext at a time.
    var records: [UInt8] = []
    while case .done = outcome {
      let count: Int
      (count, outcome) = outer.read(&input, into: plaintext)
      keepSealed(session)
      records.append(contentsOf: plaintext[..<count])
    }
    if !records.isEmpty { records.withUnsafeBytes { takeCiphertext($0, session) } }
    guard flags.isDisjoint(with: [.isClosing, .isClosed]) else { return }
    switch outcome {
    case .failed(let error): failTLS(session, error)
    // While reading is paused the end waits: that of the byte stream underneath follows.
    case .ended where !session.isHeld: receivedEndOfCiphertext(session)
    case .done, .needsInput, .ended: break
    }
  }

  /// Puts what the session has just written into records of the outer one, if there is one.
  func sealOutput(_ session: TLSSession) {
    let wire = session.wire
    guard let outer = session.outer, wire.pointee.outputCount > 0 else { return }
    // Copied, because the outer one's records are written to the same place.
    let records = Array(UnsafeRawBufferPointer(start: wire.pointee.output, count: wire.pointee.outputCount))
    wire.pointee.outputCount = 0
    if let error = records.withUnsafeBytes({ outer.write($0) }) { failTLS(session, error) }
  }
}
