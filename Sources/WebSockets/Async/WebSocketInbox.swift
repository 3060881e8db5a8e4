import EventLoops
import WebSocketCore

/// Collects the messages of one connection for a task that awaits them, and holds the peer back when the
/// task falls behind. Loop-confined.
///
/// What each message touches is here, and fits into two cache lines; the rest is in ``InboxExtras``.
final class WebSocketInbox: WebSocketHandler, @unchecked Sendable {
  /// What arrives: whole messages, or pieces of them, as the options say.
  enum Item {
    case message(WebSocketMessage)
    case fragment(WebSocketFragment)

    var byteCount: Int {
      switch self {
      case .message(let message): message.byteCount
      case .fragment(let fragment): fragment.bytes.count
      }
    }
  }

  typealias Waiter = UnsafeContinuation<Result<Item?, WebSocketError>, Never>
  typealias Signal = UnsafeContinuation<Void, Never>
  /// Resumed with true if there is room, or with false when there is reason to look again.
  typealias RoomSignal = UnsafeContinuation<Bool, Never>

  /// The server's own task, if it waits: it looks by itself for what it was woken for.
  var sleeper: Signal?
  /// The task that serves the connection for the server: see ``beginServing()``.
  var servingTask: UnsafeRawPointer?
  /// What is left of the read that is being dealt with, while the task may take messages from there.
  var lent: UnsafeMutablePointer<UnsafeMutableRawBufferPointer>?
  /// The message that the sleeper was woken for, which comes before all items.
  var handed: WebSocketMessage?
  private var isPaused = false
  /// Reading stops when more bytes than this wait to be taken, and goes on at half of it.
  private let highWatermark: UInt32
  /// Waiting items; those before `first` are taken.
  private(set) var items: [Item] = []
  private(set) var first: UInt32 = 0
  private var waitingBytes = 0
  private(set) var connection: WebSocketConnection?
  private(set) var extras: InboxExtras?
  /// Gets the inbox as well: one that held on to it would keep it for ever where no connection is opened.
  var whenOpened: ((WebSocketConnection, WebSocketInbox) -> Void)?

  init(highWatermark: Int) {
    self.highWatermark = UInt32(clamping: highWatermark)
  }

  func makeExtras() -> InboxExtras {
    if let extras { return extras }
    let made = InboxExtras()
    extras = made
    return made
  }

  override func opened(_ connection: WebSocketConnection) {
    self.connection = connection
    if isPaused { connection.pauseReading() }
    whenOpened?(connection, self)
    whenOpened = nil
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    let message = WebSocketMessage(message, kind)
    guard let sleeper else { return arrived(.message(message)) }
    self.sleeper = nil
    handed = message
    connection.reading.formUnion([.hasWoken, .isToLend])
    connection.loop.resumePromptly(sleeper)
  }

  override func receivedFragment(
    _ fragment: UnsafeRawBufferPointer, _ kind: MessageKind, isFirst: Bool, isFinal: Bool,
    on connection: WebSocketConnection
  ) {
    let fragment = WebSocketFragment(kind: kind, bytes: Array(fragment), isFirst: isFirst, isFinal: isFinal)
    arrived(.fragment(fragment))
  }

  /// A message that was received elsewhere.
  func received(_ message: WebSocketMessage) { arrived(.message(message)) }

  private func arrived(_ item: Item) {
    if let waiter = extras?.takeWaiter() {
      waiter.resume(returning: .success(item))
      connection?.reading.insert(.hasWoken)
      if case .message = item { connection?.reading.insert(.isToLend) }
      return
    }
    items.append(item)
    waitingBytes += item.byteCount + MemoryLayout<Item>.stride
    if waitingBytes > highWatermark, !isPaused {
      isPaused = true
      connection?.pauseReading()
    }
    guard sleeper != nil else { return }
    connection?.reading.insert(.hasWoken)
    wake()
  }

  /// Lets the sleeper look.
  func wake() {
    guard let sleeper else { return }
    self.sleeper = nil
    sleeper.resume()
  }

  /// The task that waits, as far as the runtime's own part of it goes.
  override func prefetch() {
    guard let sleeper else { return }
    EventLoops.prefetch(unsafeBitCast(sleeper, to: UnsafeRawPointer.self), byteCount: 320)
  }

  override func lend(_ input: inout UnsafeMutableRawBufferPointer, of loop: EventLoop) {
    withUnsafeMutablePointer(to: &input) { input in
      lent = input
      loop.runJobsPromptly()
      lent = nil
    }
  }

  override func receivedPong(_ payload: UnsafeRawBufferPointer, on connection: WebSocketConnection) {
    extras?.pongs.received(payload)
  }

  /// Sends a ping; the waiter hears whether its pong comes.
  func ping(_ connection: WebSocketConnection, _ waiter: AwaitedPongs.Waiter) {
    withUnsafeBytes(of: makeExtras().pongs.wait(waiter)) { connection.ping($0) }
  }

  override func drained(_ connection: WebSocketConnection) { extras?.drained() }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    let isNormal = code == .normal || code == .goingAway || code == .noStatus
    let ending: Result<Void, WebSocketError> =
      isNormal
      ? .success(())
      : .failure(
        WebSocketError(
          .closedAbnormally, reason.isEmpty ? "The connection was closed." : reason, closeCode: code))
    finish(ending, code: code, reason: reason)
  }

  /// Nothing more will come.
  func finish(_ ending: Result<Void, WebSocketError>, code: CloseCode, reason: String) {
    detach()
    makeExtras().finish(ending, code: code, reason: reason)
    wake()
  }

  /// The connection is gone; another may follow.
  func detach() {
    connection = nil
    extras?.drained()
  }

  /// Takes the first item out of line.
  func dropFirst(of byteCount: Int) {
    first += 1
    if first == items.count {
      items.removeAll(keepingCapacity: items.capacity <= 64)
      first = 0
    }
    waitingBytes -= byteCount + MemoryLayout<Item>.stride
    if isPaused, waitingBytes <= highWatermark / 2 {
      isPaused = false
      connection?.resumeReading()
    }
  }
}
