import EventLoops

/// A connection that is told why it cannot stay, and has a moment to read it: closed at once, what the client has
/// sent would turn the answer into a reset.
final class RefusedConnection: IOTarget, TimerTarget {
  /// The time that a client has to read the answer and to end, in milliseconds.
  private static let lingerMilliseconds: UInt64 = 1_000
  /// What is thrown away of what a client sends.
  private static let maximumByteCount = 64 * 1024

  private let loop: EventLoop
  private let id: RegistrationID
  private let ended: () -> Void
  private var timer = TimerID.none
  private var byteCount = 0

  /// - Parameter ended: called once, when the socket is closed.
  init(loop: EventLoop, id: RegistrationID, ended: @escaping () -> Void) {
    self.loop = loop
    self.id = id
    self.ended = ended
  }

  func start(_ answer: [UInt8]) {
    loop.driver.setTarget(self, of: id)
    // A new socket has room for so little; if not, the client does without an answer.
    _ = answer.withUnsafeBytes { loop.driver.write($0, to: id) }
    loop.driver.shutdownWrite(id)
    timer = loop.schedule(after: Self.lingerMilliseconds, self, token: 0)
    loop.driver.resumeReceiving(id)
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer) {
    byteCount += bytes.count
    if byteCount > Self.maximumByteCount { close(reset: true) }
  }

  override func receivedEnd() { close(reset: false) }

  override func failed(_ error: Int32) { close(reset: true) }

  override func loopStopped() { close(reset: false) }

  func timerFired(_ token: UInt64) { close(reset: true) }

  private func close(reset: Bool) {
    loop.cancel(timer)
    loop.driver.close(id, reset: reset)
    ended()
  }
}
