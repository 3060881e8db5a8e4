import Bytes
import EventLoops
import HTTPCore
import WebSocketCore
import WebSockets

/// A WebSocket whose client has none: its messages go down by a response that goes on, or by polls, and up by posts.
/// Loop-confined.
final class TunnelSession: WebSocketHandler, TimerTarget, @unchecked Sendable {
  private enum Deadline {
    static let wait: UInt64 = 1
    static let absence: UInt64 = 2
  }

  let id: String
  private let loop: EventLoop
  private let options: TransportOptions
  private let shelf: SessionDirectory.Shelf
  private var socket: WebSocketConnection?
  private var stream: HTTPResponseStream?
  /// What is on the stream is kept, too: polls may go on from there.
  private var isResumable = false
  private var queue = PollQueue()
  private var poll: WaitingPoll?
  /// A post that is answered when the WebSocket has taken what it brought.
  private var post: WaitingPoll?
  private var timer: TimerID?
  private var nextMessage: UInt64 = 1
  private var isOver = false

  init(id: String, loop: EventLoop, shelf: SessionDirectory.Shelf, options: TransportOptions) {
    self.id = id
    self.loop = loop
    self.shelf = shelf
    self.options = options
  }

  /// The WebSocket is open. With a stream, messages are its lines; else they wait for polls.
  func begin(_ socket: WebSocketConnection, _ stream: HTTPResponseStream?, isResumable: Bool = false) {
    self.socket = socket
    self.stream = stream
    self.isResumable = isResumable
    shelf.tunnels[id] = self
    setTimer(
      stream == nil ? options.pollGapMilliseconds : options.pollWaitMilliseconds,
      stream == nil ? Deadline.absence : Deadline.wait)
  }

  // MARK: Up

  /// Takes a post, or a poll; false for one that cannot follow what came before.
  func received(_ request: TunnelRequest, _ answer: WaitingPoll) -> Bool {
    guard request.from <= nextMessage else { return false }
    if let seen = request.seen, !arrived(seen) { return false }
    let skipped = nextMessage - request.from
    for message in request.messages.dropFirst(Int(clamping: skipped)) {
      nextMessage += 1
      send(message)
    }
    guard let ack = request.ack else {
      self.post?.answer(HTTPResponse(status: .noContent))
      post = answer
      if socket?.isBackedUp(beyond: options.maximumQueuedBytes) != true { answerPost() }
      return true
    }
    return received(ack, answer)
  }

  private func send(_ message: TunnelMessage) {
    switch message {
    case .text(let text): socket?.send(text)
    case .binary(let bytes): bytes.withUnsafeBytes { _ = socket?.send($0, .binary) }
    case .close(let code, let reason):
      socket?.close(code: CloseCode(rawValue: code == 1005 ? 1000 : code), reason: reason)
    case .unknown: socket?.close(code: .unsupportedData, reason: "The tunnel does not know this message.")
    }
  }

  private func answerPost() {
    post?.answer(HTTPResponse(status: .noContent))
    post = nil
  }

  // MARK: Down

  private func received(_ ack: UInt64, _ answer: WaitingPoll) -> Bool {
    guard stream == nil || isResumable, arrived(ack) else { return false }
    if let broken = stream {
      // The client has seen it before the server did.
      stream = nil
      options.counters.tunnelStreamsBroken.count()
      broken.abort()
    }
    answerPoll()
    poll = answer
    if isOver, queue.isEmpty {
      leave()
      return true
    }
    setTimer(options.pollWaitMilliseconds, Deadline.wait)
    if !queue.isEmpty { answerSoon() }
    return true
  }

  /// The client has all up to that number; false if that was never given.
  private func arrived(_ number: UInt64) -> Bool {
    guard queue.acknowledge(number) else { return false }
    holdBackOrResume()
    return true
  }

  /// The route goes on when neither what has not arrived nor what the stream has not taken is too much.
  private func holdBackOrResume() {
    let isStreamFull = stream?.isBackedUp(beyond: options.maximumQueuedBytes / 2) ?? false
    if isStreamFull || queue.byteCount > options.maximumQueuedBytes {
      socket?.pauseReading()
    } else {
      socket?.resumeReading()
    }
  }

  private func tell(_ message: [UInt8]) {
    if let stream {
      stream.write(message + [UInt8(ascii: "\n")])
      if isResumable { message.withUnsafeBytes { queue.append($0) } }
      // Nothing is refused, then: the next message waits for the queue to empty.
      return holdBackOrResume()
    }
    message.withUnsafeBytes { queue.append($0) }
    holdBackOrResume()
    if poll != nil { answerSoon() }
  }

  /// What comes in the same turn is answered together.
  private func answerSoon() { loop.execute { [self] in if !queue.isEmpty { answerPoll() } } }

  private func answerPoll() {
    guard let poll else { return }
    self.poll = nil
    poll.answer(.json(.ok, queue.encoded(session: id)))
    setTimer(options.pollGapMilliseconds, Deadline.absence)
  }

  // MARK: Time

  private func setTimer(_ milliseconds: UInt64, _ deadline: UInt64) {
    if let timer { loop.cancel(timer) }
    timer = loop.schedule(after: milliseconds, self, token: deadline)
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    guard token == Deadline.wait else { return clientWent() }
    guard let stream else { return answerPoll() }
    // An empty line: proxies cut what is silent, and the client knows that the stream lives.
    stream.write([UInt8(ascii: "\n")])
    setTimer(options.pollWaitMilliseconds, Deadline.wait)
  }

  /// The client has gone, or stays away.
  private func clientWent() {
    stream = nil
    leave()
    socket?.close(code: .goingAway, reason: "The client of the tunnel has gone.")
    socket = nil
  }

  private func leave() {
    answerPoll()
    answerPost()
    if let timer { loop.cancel(timer) }
    timer = nil
    shelf.tunnels[id] = nil
  }

  func streamDrained() { holdBackOrResume() }

  /// A stream has broken: its client may come back to poll, or has gone.
  func streamClosed(_ closed: HTTPResponseStream) {
    guard closed === stream else { return }
    guard isResumable else { return clientWent() }
    stream = nil
    options.counters.tunnelStreamsBroken.count()
    setTimer(options.pollGapMilliseconds, Deadline.absence)
    holdBackOrResume()
  }

  // MARK: The WebSocket

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    tell(TunnelMessage.encode(message, kind))
  }

  override func drained(_ connection: WebSocketConnection) { answerPost() }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    isOver = true
    answerPost()
    guard socket != nil else { return }
    socket = nil
    let end = TunnelMessage.encode(code, reason)
    guard let stream else { return tell(end) }
    self.stream = nil
    leave()
    stream.end(with: end + [UInt8(ascii: "\n")])
  }
}

/// What the stream of a tunnel tells.
final class TunnelEvents: HTTPStreamHandler {
  private let session: TunnelSession

  init(_ session: TunnelSession) { self.session = session }

  override func drained(_ stream: HTTPResponseStream) { session.streamDrained() }
  override func closed(_ stream: HTTPResponseStream) { session.streamClosed(stream) }
  /// The WebSocket is told, too, and its end is the stream's.
  override func serverEnds(_ stream: HTTPResponseStream, code: CloseCode, reason: String) {}
}
