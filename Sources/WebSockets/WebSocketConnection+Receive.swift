import EventLoops
import Transport
import WebSocketCore

/// How far a connection is with its input.
struct ReadingState: OptionSet {
  var rawValue: UInt8
  /// The application asked for no more.
  static let isPaused = ReadingState(rawValue: 1 << 0)
  /// `read` is running, and goes on by itself after a resume.
  static let isRunning = ReadingState(rawValue: 1 << 1)
  /// Something waits behind a pause: bytes, or the rest of what they decompress to.
  static let hasUnread = ReadingState(rawValue: 1 << 2)
  /// Going on is posted to the loop.
  static let isScheduled = ReadingState(rawValue: 1 << 3)
  /// A task was woken, which is to run before the next connection is read.
  static let hasWoken = ReadingState(rawValue: 1 << 4)
  /// It is to take the further messages of the read by itself.
  static let isToLend = ReadingState(rawValue: 1 << 5)
}

extension WebSocketConnection {
  /// Stops reading: the handler is given no further message until ``resumeReading()``, and the peer's sends back up.
  public func pauseReading() {
    guard !isGone, closing.state == .open else { return }
    reading.insert(.isPaused)
    stream.pauseReading()
  }

  /// Goes on after ``pauseReading()``; never calls the handler inside this call.
  public func resumeReading() {
    guard reading.contains(.isPaused) else { return }
    reading.remove(.isPaused)
    guard !reading.contains(.isRunning) else { return }
    guard reading.contains(.hasUnread) else {
      stream.resumeReading()
      return
    }
    guard !reading.contains(.isScheduled) else { return }
    reading.insert(.isScheduled)
    loop.execute { self.readOn() }
  }

  /// Takes up what waited behind a pause.
  private func readOn() {
    reading.remove(.isScheduled)
    guard !reading.contains(.isPaused), !isGone else { return }
    var waiting = unread
    unread = []
    reading.remove(.hasUnread)
    waiting.withUnsafeMutableBytes { read($0) }
    if !reading.contains(.isPaused) { stream.resumeReading() }
  }

  /// Decodes input and hands on what is in it, until it is used up or the application pauses.
  func read(_ bytes: UnsafeMutableRawBufferPointer) {
    guard !reading.contains(.hasUnread) else {
      makeDetails().unread.append(contentsOf: bytes)
      return
    }
    var input = bytes
    reading.insert(.isRunning)
    decode(&input)
    if reading.contains(.isToLend) { lend(&input) }
    reading.remove(.isRunning)
    guard closing.state != .finished else { return }
    if reading.contains(.isPaused) {
      if !input.isEmpty || decoder.hasPendingOutput {
        reading.insert(.hasUnread)
        unread = Array(input)
      }
    } else if stream.isReadingPaused, !reading.contains(.isScheduled) {
      stream.resumeReading()
    }
  }

  /// Handles what is in the input, until it is used up or of no more interest.
  @inline(__always)
  private func decode(_ input: inout UnsafeMutableRawBufferPointer) {
    do {
      while mayFindEvent(in: input), let event = try decoder.next(&input) { handle(event) }
    } catch {
      violated(error)
    }
  }

  private func mayFindEvent(in input: UnsafeMutableRawBufferPointer) -> Bool {
    (!input.isEmpty || !decoder.isEmpty) && closing.state != .finished
      && reading.isDisjoint(with: [.isPaused, .isToLend])
  }

  private func violated(_ violation: ProtocolViolation) {
    registry?.counters.count(violation)
    fail(violation.closeCode, violation.description)
  }

  /// Runs the task that was woken, which takes what is left of the input by itself: message by message, each of which is
  /// in memory alone then. What the task leaves is decoded as ever.
  @inline(never)
  private func lend(_ input: inout UnsafeMutableRawBufferPointer) {
    while reading.contains(.isToLend) {
      reading.remove(.isToLend)
      if !input.isEmpty { handler.lend(&input, of: loop) }
      decode(&input)
    }
  }

  /// The next message of input that was lent.
  func takeMessage(from input: inout UnsafeMutableRawBufferPointer) -> WebSocketMessage? {
    do {
      while mayFindEvent(in: input), let event = try decoder.next(&input) {
        if case .message(let kind, let payload) = event, closing.state == .open {
          return WebSocketMessage(payload, kind)
        }
        handle(event)
      }
    } catch {
      violated(error)
    }
    return nil
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
