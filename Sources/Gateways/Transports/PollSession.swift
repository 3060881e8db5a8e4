import Bytes
import EventLoops
import HTTPCore
import WebSockets

/// A request that waits for news: its exchange, and the fields of its response.
struct WaitingPoll: Sendable {
  let exchange: HTTPExchange
  let fields: HTTPFields

  /// On whatever loop.
  func answer(_ response: HTTPResponse) {
    var response = response
    for (name, value) in fields { response.fields.append(name, value) }
    exchange.loop.execute { [exchange, response] in exchange.respond(response) }
  }
}

/// A session whose replies and pushes are fetched by polls. Replies are numbered, and kept until a later poll says that they
/// have arrived: a response that is lost is given again, and the numbers tell what has been seen.
final class PollSession: EmulatedSession, CentrifugoOutput, @unchecked Sendable {
  private enum Deadline {
    static let wait: UInt64 = 1
    static let absence: UInt64 = 2
  }

  private let options: TransportOptions
  private let shelf: SessionDirectory.Shelf
  private var queue = PollQueue()
  private var poll: WaitingPoll?
  private var timer: TimerID?
  private var isAnswerDue = false
  /// The session has ended, and the client is still to be told.
  private var isOver = false

  init(
    id: String, loop: EventLoop, shelf: SessionDirectory.Shelf, options: TransportOptions,
    counters: TransportCounters
  ) {
    self.options = options
    self.shelf = shelf
    super.init(id: id, loop: loop, encoding: .json, counters: counters)
    shelf.pollCount += 1
    shelf.sessions[id] = self
  }

  // MARK: Polls

  /// Takes a poll; false for one that acknowledges what was never sent.
  func received(_ request: PollRequest, _ poll: WaitingPoll) -> Bool {
    let hadReplies = !queue.isEmpty
    guard queue.acknowledge(request.ack) else { return false }
    // What the hub has put off for a slow client may come now.
    if hadReplies, queue.isEmpty { session?.drained() }
    // One that still waits has lost its client, or is about to be overtaken by this one.
    answer()
    self.poll = poll
    if !request.data.isEmpty { _ = received(request.data) }
    if isOver, queue.isEmpty {
      end()
      return true
    }
    let wait = min(request.wait ?? .max, options.pollWaitMilliseconds)
    setTimer(wait, Deadline.wait)
    if !queue.isEmpty || wait == 0 { answerSoon() }
    return true
  }

  /// The server shuts down.
  func serverEnds() {
    session?.close(.shutdown)
    answer()
  }

  /// What comes in the same turn is answered together.
  private func answerSoon() {
    guard !isAnswerDue else { return }
    isAnswerDue = true
    loop.execute { [self] in
      isAnswerDue = false
      answer()
    }
  }

  private func answer() {
    guard let poll else { return }
    self.poll = nil
    poll.answer(.json(.ok, queue.encoded(session: id)))
    setTimer(options.pollGapMilliseconds, Deadline.absence)
  }

  private func setTimer(_ milliseconds: UInt64, _ deadline: UInt64) {
    cancelTimer()
    timer = loop.schedule(after: milliseconds, self, token: deadline)
  }

  private func cancelTimer() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  override func timerFired(_ token: UInt64) {
    switch token {
    case Deadline.wait:
      timer = nil
      answer()
    case Deadline.absence:
      timer = nil
      if !isOver { counters.pollSessionsLeft.count() }
      end()
    default: super.timerFired(token)
    }
  }

  /// Forgets everything.
  private func end() {
    answer()
    cancelTimer()
    if shelf.sessions.removeValue(forKey: id) != nil { shelf.pollCount -= 1 }
    isOver = true
    ended()
  }

  // MARK: Output

  func send(_ text: [UInt8], as encoding: ClientEncoding) -> Bool { text.withUnsafeBytes { send($0) } }

  func send(frame: SharedBytes) -> Bool { frame.withPayload { send($0) } }

  private func send(_ text: UnsafeRawBufferPointer) -> Bool {
    guard !isOver else { return false }
    guard queue.byteCount <= options.maximumQueuedBytes else {
      counters.slowClients.count()
      queue.removeAll()
      close(.slow)
      return false
    }
    queue.append(text)
    if poll != nil { answerSoon() }
    return true
  }

  func isBackedUp(beyond byteCount: Int) -> Bool { queue.byteCount > byteCount }

  /// The client is told by its next poll, if it comes in time.
  func close(_ disconnect: Disconnect) {
    guard !isOver else { return }
    isOver = true
    encoding.encode(.disconnect(disconnect)).withUnsafeBytes { queue.append($0) }
    forget()
    if poll != nil { answerSoon() }
  }

  /// Posts cannot be held back: what waits is bounded by the session.
  func pauseReading() {}
  func resumeReading() {}
}
