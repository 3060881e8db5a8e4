import EventLoops
import Transport
import WebSocketCore

/// How far a connection is with its input.
struct ReadingState {
  /// The application asked for no more.
  var isPaused = false
  /// `read` is running, and goes on by itself after a resume.
  var isRunning = false
  /// Something waits behind a pause: bytes, or the rest of what they decompress to.
  var hasUnread = false
  /// Going on is posted to the loop.
  var isScheduled = false
}

extension WebSocketConnection {
  /// Stops reading: the handler is given no further message until ``resumeReading()``, and the peer's sends back up.
  public func pauseReading() {
    guard !isGone, closing.state == .open else { return }
    reading.isPaused = true
    stream.pauseReading()
  }

  /// Goes on after ``pauseReading()``; never calls the handler inside this call.
  public func resumeReading() {
    guard reading.isPaused else { return }
    reading.isPaused = false
    guard !reading.isRunning else { return }
    guard reading.hasUnread else {
      stream.resumeReading()
      return
    }
    guard !reading.isScheduled else { return }
    reading.isScheduled = true
    loop.execute { self.readOn() }
  }

  /// Takes up what waited behind a pause.
  private func readOn() {
    reading.isScheduled = false
    guard !reading.isPaused, !isGone else { return }
    var waiting = unread
    unread = []
    reading.hasUnread = false
    waiting.withUnsafeMutableBytes { read($0) }
    if !reading.isPaused { stream.resumeReading() }
  }

  /// Decodes input and hands on what is in it, until it is used up or the application pauses.
  func read(_ bytes: UnsafeMutableRawBufferPointer) {
    guard !reading.hasUnread else {
      makeDetails().unread.append(contentsOf: bytes)
      return
    }
    var input = bytes
    reading.isRunning = true
    do {
      while closing.state != .finished, !reading.isPaused, let event = try decoder.next(&input) {
        handle(event)
      }
    } catch {
      registry?.counters.count(error)
      fail(error.closeCode, error.description)
    }
    reading.isRunning = false
    guard closing.state != .finished else { return }
    if reading.isPaused {
      if !input.isEmpty || decoder.hasPendingOutput {
        reading.hasUnread = true
        unread = Array(input)
      }
    } else if stream.isReadingPaused, !reading.isScheduled {
      stream.resumeReading()
    }
  }

  private func handle(_ event: WebSocketEvent) {
    // Behind our own close frame only the peer's is of interest.
    if closing.state == .closeSent, !event.isClose { return }
    switch event {
    case .message(let kind, let payload):
      handler.received(payload, kind, on: self)
    case .fragment(let kind, let payload, let isFirst, let isFinal):
      handler.receivedFragment(payload, kind, isFirst: isFirst, isFinal: isFinal, on: self)
    case .ping(let payload):
      pong(payload)
    case .pong(let payload):
      handler.receivedPong(payload, on: self)
    case .close(let code, let reason):
      receivedClose(code, reason)
    }
  }
}

extension WebSocketEvent {
  fileprivate var isClose: Bool { if case .close = self { true } else { false } }
}
