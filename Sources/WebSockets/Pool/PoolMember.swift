import EventLoops
import WebSocketCore

/// One connection of a pool. Loop-confined.
final class PoolMember: WebSocketHandler, @unchecked Sendable {
  enum Use {
    case opening
    case idle
    case leased(WebSocketLease)
    case request(ticket: UInt64, PoolWaiter.Reply)
    /// Numbered requests and messages without reply; what nobody asked for is of no interest.
    case shared
    /// Out of the pool; its end is awaited.
    case retired
  }

  let core: PoolCore
  let endpoint: Int
  var attempt: WebSocketAttempt?
  var connection: WebSocketConnection?
  var use = Use.opening
  /// How often it was used.
  var uses = 0
  var openedAt: UInt64 = 0
  var lastUsed: UInt64 = 0
  var expires: UInt64 = .max
  /// Numbered requests under way.
  var replies: [UInt64: PoolWaiter.Reply] = [:]
  /// A lease whose task waits for room.
  var drainSignals: [WebSocketInbox.Signal] = []

  init(_ core: PoolCore, endpoint: Int) {
    self.core = core
    self.endpoint = endpoint
  }

  override func opened(_ connection: WebSocketConnection) {
    self.connection = connection
    core.opened(self, connection)
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    core.received(WebSocketMessage(message, kind), on: self)
  }

  override func drained(_ connection: WebSocketConnection) {
    wakeSenders()
    if case .shared = use { core.serve() }
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    self.connection = nil
    wakeSenders()
    core.closed(self, code: code, reason: reason)
  }

  private func wakeSenders() {
    let signals = drainSignals
    drainSignals = []
    for signal in signals { signal.resume() }
  }

  /// Whether more may be sent without letting too much wait.
  var hasRoom: Bool {
    guard let connection, connection.isOpen else { return false }
    // Offering the kernel what waits may find that the connection is gone.
    return !connection.isBackedUp(beyond: connection.options.maximumQueuedBytes / 4) && connection.isOpen
  }

  func send(_ message: WebSocketMessage) -> Bool {
    switch message {
    case .text(let text): connection?.send(text) ?? false
    case .binary(let bytes): bytes.withUnsafeBytes { connection?.send($0, .binary) ?? false }
    }
  }
}
