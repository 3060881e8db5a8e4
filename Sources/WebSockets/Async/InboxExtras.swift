import WebSocketCore

/// What an inbox has apart, as few messages have to do with it. Loop-confined.
final class InboxExtras {
  private var waiter: WebSocketInbox.Waiter?
  /// Names the wait under way, so that a cancellation that comes late ends no other one.
  private var ticket: UInt64 = 0
  private var drainSignals: [WebSocketInbox.RoomSignal] = []
  private var closeSignals: [WebSocketInbox.Signal] = []
  /// Tasks that wait for the end of a message that another one sends in pieces; nil while there is none.
  private var streamSignals: [WebSocketInbox.Signal]?
  var pongs = AwaitedPongs()
  /// How the connection ended; nil while it has not.
  private(set) var ending: Result<Void, WebSocketError>?
  private(set) var closeCode: CloseCode?
  private(set) var closeReason = ""

  /// Nothing more will come.
  func finish(_ ending: Result<Void, WebSocketError>, code: CloseCode, reason: String) {
    closeCode = code
    closeReason = reason
    self.ending = ending
    takeWaiter()?.resume(returning: ending.map { nil })
    let signals = closeSignals
    closeSignals = []
    for signal in signals { signal.resume() }
    pongs.end()
  }

  func takeWaiter() -> WebSocketInbox.Waiter? {
    defer { waiter = nil }
    return waiter
  }

  func wait(_ waiter: WebSocketInbox.Waiter, ticket: UInt64) {
    precondition(self.waiter == nil, "two tasks iterate over one WebSocket")
    self.waiter = waiter
    self.ticket = ticket
  }

  func cancelWaiter(ticket: UInt64) {
    if self.ticket == ticket { takeWaiter()?.resume(returning: .success(nil)) }
  }

  /// There may be room.
  func drained() {
    let signals = drainSignals
    drainSignals = []
    for signal in signals { signal.resume(returning: false) }
  }

  func whenDrained(_ signal: WebSocketInbox.RoomSignal) { drainSignals.append(signal) }

  func whenClosed(_ signal: WebSocketInbox.Signal) {
    if ending != nil { signal.resume() } else { closeSignals.append(signal) }
  }

  /// Gives the right to send a message in pieces, first come, first served.
  func whenStreamFree(_ signal: WebSocketInbox.Signal) {
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
}
