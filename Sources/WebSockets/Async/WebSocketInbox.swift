import EventLoops
import Synchronization
import WebSocketCore

/// Collects the messages of one connection for a task that awaits them, and holds the peer back when the
/// task falls behind. Loop-confined.
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

  /// Reading stops when more bytes than this wait to be taken, and goes on at half of it.
  private let highWatermark: Int
  /// Waiting items; those before `first` are taken.
  private var items: [Item] = []
  private var first = 0
  private var waitingBytes = 0
  /// What is left of the read that is being dealt with, while the task may take messages from there.
  private var lent: UnsafeMutablePointer<UnsafeMutableRawBufferPointer>?
  private var isPaused = false
  private var waiter: Waiter?
  /// The server's own task, if it waits: it looks by itself for what it was woken for.
  private var sleeper: Signal?
  /// The message that it was woken for, which comes before all items.
  private var handed: WebSocketMessage?
  /// Names the wait under way, so that a cancellation that comes late ends no other one.
  private var ticket: UInt64 = 0
  private let lastTicket = Atomic<UInt64>(0)
  /// The task that serves the connection for the server, which nobody else has a handle of. As nobody can cancel it while
  /// it waits, it waits without a cancellation handler: that costs more than the rest of a wait.
  private var servingTask: UnsafeRawPointer?
  private var drainSignals: [RoomSignal] = []
  private var closeSignals: [Signal] = []
  /// Tasks that wait for the end of a message that another one sends in pieces; nil while there is none.
  private var streamSignals: [Signal]?
  private var pongs = AwaitedPongs()
  /// How the connection ended; nil while it has not.
  private(set) var ending: Result<Void, WebSocketError>?
  private(set) var closeCode: CloseCode?
  private(set) var closeReason = ""
  /// Gets the inbox as well: one that held on to it would keep it for ever where no connection is opened.
  var whenOpened: ((WebSocketConnection, WebSocketInbox) -> Void)?
  private var connection: WebSocketConnection?

  init(highWatermark: Int) {
    self.highWatermark = highWatermark
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
    handed = message
    connection.reading.insert(.isToLend)
    wake(sleeper, on: connection.loop)
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

  private func wake(_ sleeper: Signal, on loop: EventLoop) {
    self.sleeper = nil
    sleeper.resume()
    loop.wantsJobsRun = true
  }

  private func arrived(_ item: Item) {
    if let waiter {
      self.waiter = nil
      waiter.resume(returning: .success(item))
      if let connection {
        connection.loop.wantsJobsRun = true
        if case .message = item { connection.reading.insert(.isToLend) }
      }
      return
    }
    items.append(item)
    if let sleeper, let connection { return wake(sleeper, on: connection.loop) }
    waitingBytes += item.byteCount + MemoryLayout<Item>.stride
    if waitingBytes > highWatermark, !isPaused {
      isPaused = true
      connection?.pauseReading()
    }
  }

  override func lend(_ input: inout UnsafeMutableRawBufferPointer, of loop: EventLoop) {
    withUnsafeMutablePointer(to: &input) { input in
      lent = input
      loop.runJobsPromptly()
      lent = nil
    }
  }

  override func receivedPong(_ payload: UnsafeRawBufferPointer, on connection: WebSocketConnection) {
    pongs.received(payload)
  }

  /// Sends a ping; the waiter hears whether its pong comes.
  func ping(_ connection: WebSocketConnection, _ waiter: AwaitedPongs.Waiter) {
    withUnsafeBytes(of: pongs.wait(waiter)) { connection.ping($0) }
  }

  override func drained(_ connection: WebSocketConnection) {
    let signals = drainSignals
    drainSignals = []
    for signal in signals { signal.resume(returning: false) }
  }

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
    closeCode = code
    closeReason = reason
    self.ending = ending
    if let waiter {
      self.waiter = nil
      waiter.resume(returning: ending.map { nil })
    }
    if let sleeper {
      self.sleeper = nil
      sleeper.resume()
    }
    let signals = closeSignals
    closeSignals = []
    for signal in signals { signal.resume() }
    pongs.end()
  }

  /// The connection is gone; another may follow.
  func detach() {
    connection = nil
    let signals = drainSignals
    drainSignals = []
    for signal in signals { signal.resume(returning: false) }
  }

  /// Whether everything that came was taken.
  var isEmpty: Bool { first == items.count && handed == nil }

  /// The next item, which must be a message, as ``nextItem(on:isolation:)``.
  func nextMessage(
    on loop: EventLoop, isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> WebSocketMessage? {
    let now = loop.isCurrent ? takeNow() : nil
    let item = if let now { try now.get() } else { try await nextItem(on: loop) }
    guard case .message(let message)? = item else { return nil }
    return message
  }

  /// The next item if it is known already what it is: one that waits, nil at the end, or the error that ended it.
  func takeNow() -> Result<Item?, WebSocketError>? {
    if handed != nil || first == items.count {
      if let connection, let message = takeMessage(on: connection) { return .success(.message(message)) }
    }
    guard first < items.count else { return ending.map { $0.map { nil } } }
    let item = items[first]
    dropFirst(of: item.byteCount)
    return .success(item)
  }

  /// The next item if it is a message and is here already: in line, or whole in the input that was read.
  func takeMessage(on connection: WebSocketConnection) -> WebSocketMessage? {
    if let message = handed {
      handed = nil
      return message
    }
    guard first < items.count else {
      return lent.flatMap { connection.takeMessage(from: &$0.pointee) }
    }
    guard case .message(let message) = items[first] else { return nil }
    dropFirst(of: message.byteCount)
    return message
  }

  private func dropFirst(of byteCount: Int) {
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

  /// Whether the task is known that serves the connection.
  var isServed: Bool { servingTask != nil }

  /// Wakes the task when there is something for it, or when nothing more will come. Any other than the server's own, and
  /// one that is cancelled, does not wait here.
  func sleep(_ sleeper: Signal) {
    // A continuation is its task, as the runtime has it.
    if servingTask == unsafeBitCast(sleeper, to: UnsafeRawPointer.self), ending == nil, !Task.isCancelled {
      precondition(waiter == nil, "two tasks iterate over one WebSocket")
      self.sleeper = sleeper
    } else {
      sleeper.resume()
    }
  }

  /// The current task is the server's own.
  func beginServing() { servingTask = withUnsafeCurrentTask { $0.map(Self.name) } }

  func endServing() { servingTask = nil }

  /// Names a task, for comparison only.
  private static func name(_ task: UnsafeCurrentTask) -> UnsafeRawPointer {
    unsafeBitCast(task, to: UnsafeRawPointer.self)
  }

  /// Names a wait. Any thread.
  func makeTicket() -> UInt64 { lastTicket.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Resumes the waiter with the next message, now or when it comes.
  func take(_ waiter: Waiter, ticket: UInt64) {
    if let result = takeNow() {
      waiter.resume(returning: result)
    } else {
      precondition(self.waiter == nil && sleeper == nil, "two tasks iterate over one WebSocket")
      self.waiter = waiter
      self.ticket = ticket
    }
  }

  /// Ends the wait of a cancelled task.
  func cancelWaiter(ticket: UInt64) {
    guard self.ticket == ticket else { return }
    waiter?.resume(returning: .success(nil))
    waiter = nil
  }

  func whenDrained(_ signal: RoomSignal) {
    if ending != nil || (connection?.bufferedByteCount ?? 0) == 0 {
      signal.resume(returning: true)
    } else {
      drainSignals.append(signal)
    }
  }

  func whenClosed(_ signal: Signal) {
    if ending != nil { signal.resume() } else { closeSignals.append(signal) }
  }

  // MARK: Messages in pieces

  /// Gives the right to send a message in pieces, first come, first served.
  func whenStreamFree(_ signal: Signal) {
    if streamSignals == nil || ending != nil {
      if streamSignals == nil { streamSignals = [] }
      signal.resume()
    } else {
      streamSignals?.append(signal)
    }
  }

  /// Passes the right on.
  func endStream() {
    guard let waiting = streamSignals else { return }
    guard let next = waiting.first else {
      streamSignals = nil
      return
    }
    streamSignals = Array(waiting.dropFirst())
    next.resume()
  }

  // MARK: Waiting

  /// Waits for the next item; nil at the end of a normal closure or when the task is cancelled. Any thread.
  func nextItem(
    on loop: EventLoop, isolation actor: isolated (any Actor)? = #isolation
  ) async throws(WebSocketError) -> Item? {
    let ticket = makeTicket()
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { waiter in
        if loop.isCurrent {
          take(waiter, ticket: ticket)
        } else {
          loop.execute { self.take(waiter, ticket: ticket) }
        }
        // A cancellation may have been posted before the waiter was in its place.
        if Task.isCancelled { loop.execute { self.cancelWaiter(ticket: ticket) } }
      }
    } onCancel: {
      loop.execute { self.cancelWaiter(ticket: ticket) }
    }
    return try result.get()
  }
}
