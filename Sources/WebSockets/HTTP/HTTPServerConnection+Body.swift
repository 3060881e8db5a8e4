import Transport

/// Bodies that are read as they arrive.
extension HTTPServerConnection {
  /// Whether what comes next is wanted.
  var takesInput: Bool { state == .reading || (state == .receiving && incoming?.isHeld == false) }

  func deliver(_ bytes: UnsafeRawBufferPointer) {
    // From piece to piece the client has as much time as for a whole request.
    setTimer(registry.options.requestTimeoutMilliseconds)
    incoming?.deliver(bytes)
  }

  func finishBody() {
    let body = incoming
    incoming = nil
    state = .answering
    cancelTimer()
    body?.finish()
    if let transport { rest(transport) }
  }

  /// The body's reader hears no more.
  func loseBody() {
    let body = incoming
    incoming = nil
    body?.lose()
  }

  func bodyPauses() {
    guard state == .receiving, let transport else { return }
    // The client is not slow: it is held back.
    cancelTimer()
    pause(transport)
  }

  func bodyGoesOn() {
    guard state == .receiving else { return }
    setTimer(registry.options.requestTimeoutMilliseconds)
    guard !isProcessing else { return }
    let bytes = unread
    unread = []
    bytes.withUnsafeBytes { process($0) }
    if hasClientEnded { bodyEnds() }
  }

  /// The client sends nothing more. The whole body may be among what waits to be read.
  func bodyEnds() {
    isDraining = true
    guard state == .receiving else { return }
    hasClientEnded = !unread.isEmpty
    if hasClientEnded { return }
    loseBody()
    end()
  }

  /// Reads again, where more is wanted than there was: of a body that was held back, or behind it.
  func readOn() {
    guard takesInput, unread.isEmpty, isReadingPaused, let transport else { return }
    isReadingPaused = false
    transport.resumeReading()
  }
}
