import Bytes
import EventLoops
import WebSocketCore
import WebSockets

/// A session whose replies and pushes are the body of a response, see ``StreamFraming``; its commands come by posts.
final class StreamSession: EmulatedSession, CentrifugoOutput, @unchecked Sendable {
  private let framing: StreamFraming
  /// Where posts find it; nil where the client only listens.
  private let shelf: SessionDirectory.Shelf?
  private var stream: HTTPResponseStream?
  /// How long the body goes on after its last message, in milliseconds: clients that are told of both at once, as some are
  /// outside of browsers, take the end for the news, and come back though they should not.
  static let endMilliseconds: UInt64 = 100
  private static let endToken: UInt64 = 1
  /// What is to end soon.
  private var ending: HTTPResponseStream?
  private var isServerEnding = false

  init(
    id: String, loop: EventLoop, framing: StreamFraming, shelf: SessionDirectory.Shelf?,
    counters: TransportCounters
  ) {
    self.framing = framing
    self.shelf = shelf
    super.init(id: id, loop: loop, encoding: framing.encoding, counters: counters)
  }

  func begin(_ session: CentrifugoSession, _ stream: HTTPResponseStream) {
    self.stream = stream
    shelf?.sessions[id] = self
    begin(session)
  }

  // MARK: Output

  func send(_ text: [UInt8], as encoding: ClientEncoding) -> Bool { text.withUnsafeBytes { send($0) } }

  func send(frame: SharedBytes) -> Bool { frame.withPayload { send($0) } }

  private func send(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let stream, stream.isOpen else { return false }
    if stream.write(framing.frame(text)) { return true }
    counters.slowClients.count()
    close(.slow)
    return false
  }

  func isBackedUp(beyond byteCount: Int) -> Bool { stream?.isBackedUp(beyond: byteCount) ?? false }

  /// There are no close codes: the reason is the last message.
  func close(_ disconnect: Disconnect) {
    guard let stream = leave() else { return }
    forget()
    guard !disconnect.isSilent else { return stream.end() }
    let push = shelf == nil ? disconnect.barePush : encoding.encode(.disconnect(disconnect))
    stream.writeLast(push.withUnsafeBytes { framing.frame($0) })
    guard !isServerEnding else { return stream.end() }
    ending = stream
    _ = loop.schedule(after: Self.endMilliseconds, self, token: Self.endToken)
  }

  override func timerFired(_ token: UInt64) {
    guard token == Self.endToken else { return super.timerFired(token) }
    ending?.end()
    ending = nil
  }

  /// Posts cannot be held back: what waits is bounded by the session.
  func pauseReading() {}
  func resumeReading() {}

  // MARK: The stream

  fileprivate func clientWent() {
    _ = leave()
    ended()
  }

  fileprivate func serverEnds(_ code: CloseCode, _ reason: String) {
    isServerEnding = true
    session?.close(Disconnect(code: code.rawValue, reason: reason))
    // One that is about to end has said why.
    ending?.end()
    ending = nil
  }

  private func leave() -> HTTPResponseStream? {
    shelf?.sessions[id] = nil
    defer { stream = nil }
    return stream
  }
}

/// What the stream of a session tells.
final class StreamEvents: HTTPStreamHandler {
  private let session: StreamSession

  init(_ session: StreamSession) { self.session = session }

  override func drained(_ stream: HTTPResponseStream) { session.session?.drained() }
  override func closed(_ stream: HTTPResponseStream) { session.clientWent() }
  override func serverEnds(_ stream: HTTPResponseStream, code: CloseCode, reason: String) {
    session.serverEnds(code, reason)
  }
}
