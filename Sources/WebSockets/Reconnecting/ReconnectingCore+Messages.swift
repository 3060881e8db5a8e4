import EventLoops
import Transport
import WebSocketCore

extension ReconnectingCore {
  /// What becomes of a message that is to be sent.
  enum Acceptance {
    case accepted
    case refused(WebSocketError)
    case mustWait
  }

  /// Takes a message if that is possible without waiting.
  func offer(_ message: WebSocketMessage) -> Acceptance {
    switch phase {
    case .closing, .closed: return .refused(endingError)
    case .open:
      if queue.isEmpty, sendWaiters.isEmpty, write(message) { return .accepted }
      // The peer takes less than is sent: whoever sends waits.
      guard sendWaiters.isEmpty, queue.hasRoom(for: message) else { return .mustWait }
    case .idle, .connecting, .preparing, .waiting:
      if !sendWaiters.isEmpty { return .mustWait }
      if !queue.hasRoom(for: message) {
        switch options.overflow {
        case .wait: return .mustWait
        case .dropOldest where queue.canHold(message):
          statistics.droppedMessages += queue.makeRoom(for: message)
        case .dropOldest, .reject: return .refused(Self.queueFull)
        }
      }
    }
    queue.append(message)
    return .accepted
  }

  static var queueFull: WebSocketError {
    WebSocketError(.queueFull, "The queue of messages that wait for a connection is full.")
  }

  /// Sends, or puts in the queue, or lets the task wait.
  func send(_ message: WebSocketMessage, _ outcome: Outcome, ticket: UInt64) {
    switch offer(message) {
    case .accepted: outcome.resume(returning: nil)
    case .refused(let error): outcome.resume(returning: error)
    case .mustWait: sendWaiters.append(Waiter(ticket: ticket, message: message, outcome: outcome))
    }
  }

  /// Sends for one who does not wait.
  func post(_ message: WebSocketMessage) {
    let error: WebSocketError
    switch offer(message) {
    case .accepted: return
    case .refused(let refusal): error = refusal
    case .mustWait: error = Self.queueFull
    }
    statistics.droppedMessages += 1
    events.onError?(error)
  }

  /// Sends what waits, as far as the peer takes it; then makes the queue full again from the tasks that wait.
  func pump() {
    if connection != nil {
      while let message = queue.removeFirst() {
        if !write(message) {
          queue.prepend(CollectionOfOne(message))
          break
        }
      }
      while queue.isEmpty, let waiter = sendWaiters.first, let message = waiter.message, write(message) {
        sendWaiters.removeFirst().outcome.resume(returning: nil)
      }
    }
    while let waiter = sendWaiters.first, let message = waiter.message, queue.hasRoom(for: message) {
      queue.append(message)
      sendWaiters.removeFirst().outcome.resume(returning: nil)
    }
    if let request = closeRequest, queue.isEmpty, sendWaiters.isEmpty {
      connection?.close(code: request.code, reason: request.reason)
    }
  }

  /// The connection is gone: tasks that waited for room in it now wait, or not, as the options say.
  func settleWaiters() {
    let waiters = sendWaiters
    sendWaiters = []
    for waiter in waiters {
      guard let message = waiter.message else { continue }
      send(message, waiter.outcome, ticket: waiter.ticket)
    }
  }

  /// Hands a message to the connection if it has room.
  private func write(_ message: WebSocketMessage) -> Bool {
    guard let connection, isSending, connection.isOpen else { return false }
    let isBackedUp = connection.isBackedUp(beyond: connection.options.maximumQueuedBytes / 4)
    guard !isBackedUp, connection.isOpen else { return false }
    let isTaken =
      switch message {
      case .text(let text): connection.send(text)
      case .binary(let bytes): bytes.withUnsafeBytes { connection.send($0, .binary) }
      }
    if isTaken {
      unsent.append(message, end: connection.writtenByteCount, flushed: connection.flushedByteCount)
    }
    return isTaken
  }

  private var isSending: Bool {
    switch phase {
    case .open, .closing: true
    default: false
    }
  }

  func drained(_ connection: WebSocketConnection) {
    unsent.prune(flushed: connection.flushedByteCount)
    hookInbox?.drained(connection)
    if isSending { pump() }
  }

  func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    hasHeardSincePing = true
    if case .preparing = phase {
      hookInbox?.received(message, kind, on: connection)
    } else if let onMessage = events.onMessage {
      onMessage(WebSocketMessage(message, kind))
    } else {
      inbox.received(message, kind, on: connection)
    }
  }

  // MARK: Heartbeat

  func startHeartbeat() {
    guard options.heartbeatIntervalMilliseconds > 0 else { return }
    set(.heartbeat, after: options.heartbeatIntervalMilliseconds)
  }

  /// Sends a ping whose number tells its pong from a late one.
  func beat() {
    guard let connection else { return }
    unsent.prune(flushed: connection.flushedByteCount)
    startHeartbeat()
    let number = meter.ping(now: loop.nowMilliseconds).bigEndian
    withUnsafeBytes(of: number) { connection.ping($0) }
    guard !isAwaitingPong else { return }
    isAwaitingPong = true
    hasHeardSincePing = false
    set(.pong, after: options.heartbeatDeadlineMilliseconds)
  }

  func receivedPong(_ payload: UnsafeRawBufferPointer) {
    hasHeardSincePing = true
    meter.pong(payload, now: loop.nowMilliseconds)
  }

  func checkPong() {
    isAwaitingPong = false
    // Whom we do not read from cannot show that it is alive.
    guard let connection, !hasHeardSincePing, !connection.isReadingPaused else { return }
    statistics.heartbeatsMissed += 1
    connection.abort(reason: "The peer did not answer a ping in time.")
  }
}
