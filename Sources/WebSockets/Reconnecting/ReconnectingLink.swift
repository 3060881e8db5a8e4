import WebSocketCore

/// One attempt, and the connection that it leads to: tells the core what happens, so that the core can tell which of its
/// connections it happens on.
final class ReconnectingLink: WebSocketHandler, @unchecked Sendable {
  private let core: ReconnectingCore

  init(_ core: ReconnectingCore) { self.core = core }

  private var isStale: Bool { core.link !== self }

  override func opened(_ connection: WebSocketConnection) {
    if isStale { connection.abort() } else { core.opened(connection) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    if !isStale { core.received(message, kind, on: connection) }
  }

  override func receivedPong(_ payload: UnsafeRawBufferPointer, on connection: WebSocketConnection) {
    if !isStale { core.receivedPong(payload) }
  }

  override func drained(_ connection: WebSocketConnection) {
    if !isStale { core.drained(connection) }
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    if !isStale { core.lost(connection, code: code, reason: reason) }
  }
}
