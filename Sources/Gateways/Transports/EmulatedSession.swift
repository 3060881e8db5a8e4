import EventLoops
import Synchronization

/// A session whose client speaks by requests of their own, in whatever order they come. Loop-confined.
class EmulatedSession: TimerTarget, @unchecked Sendable {
  /// How long a command may be waited for that others have overtaken, in milliseconds.
  static let gapMilliseconds: UInt64 = 1_000

  /// What a client has to know to speak for the session; nobody can guess it.
  let id: String
  let loop: EventLoop
  /// How the client's commands are spelled.
  let encoding: ClientEncoding
  let counters: TransportCounters
  private(set) var session: CentrifugoSession?
  private var order: CommandOrder
  private var gapTimer: TimerID?

  init(id: String, loop: EventLoop, encoding: ClientEncoding, counters: TransportCounters) {
    self.encoding = encoding
    order = CommandOrder(encoding)
    self.id = id
    self.loop = loop
    self.counters = counters
  }

  /// The session and this hold each other until one of them ends.
  func begin(_ session: CentrifugoSession) { self.session = session }

  /// Takes commands as they follow each other; false if the session has ended.
  func received(_ text: [UInt8]) -> Bool {
    guard let session, !session.isClosed else { return false }
    let repeated = order.repeatedCount
    text.withUnsafeBytes { order.take($0) { session.received($0) } }
    counters.repeatedCommands.wrappingAdd(order.repeatedCount - repeated, ordering: .relaxed)
    setGapTimer()
    return true
  }

  /// The client is gone.
  func ended() {
    let session = session
    forget()
    session?.closed()
  }

  /// The session has ended, or is about to.
  func forget() {
    session = nil
    cancelGapTimer()
  }

  private func setGapTimer() {
    guard session != nil, order.isWaiting else { return cancelGapTimer() }
    if gapTimer == nil { gapTimer = loop.schedule(after: Self.gapMilliseconds, self, token: 0) }
  }

  private func cancelGapTimer() {
    if let gapTimer { loop.cancel(gapTimer) }
    gapTimer = nil
  }

  func timerFired(_ token: UInt64) {
    gapTimer = nil
    guard let session else { return }
    counters.commandGaps.count()
    order.skip { session.received($0) }
    setGapTimer()
  }
}
