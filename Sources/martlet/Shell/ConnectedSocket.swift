import HTTPCore
import WebSocketCore
import WebSockets

/// What `martlet connect` talks through: one connection, or one that comes back.
protocol ConnectedSocket: Sendable {
  func send(_ message: WebSocketMessage) async throws
  func close(code: CloseCode, reason: String) async
  /// Calls the closure with each message until the end, or until it returns false.
  func receive(_ each: (WebSocketMessage) async -> Bool) async
  /// How it ended; 1006 while it has not.
  var ending: (code: CloseCode, reason: String) { get async }
  /// The time to the peer and back; nil if that is not known.
  func roundTrip() async -> Duration?
  /// Lines for `/info`.
  var facts: [String] { get async }
  /// Tells the closure, from now on, in words what happens to the connection.
  func tell(_ note: @escaping @Sendable (String) -> Void)
}

extension ConnectedSocket {
  /// To a single connection nothing happens but its end.
  func tell(_ note: @escaping @Sendable (String) -> Void) {}

  func close() async { await close(code: .normal, reason: "") }
}

/// One connection, which ends when it ends.
struct SingleSocket: ConnectedSocket {
  let socket: WebSocket

  func send(_ message: WebSocketMessage) async throws { try await socket.send(message) }

  func close(code: CloseCode, reason: String) async { await socket.close(code: code, reason: reason) }

  func receive(_ each: (WebSocketMessage) async -> Bool) async {
    do {
      for try await message in socket {
        guard await each(message) else { return }
      }
    } catch {
      // Its code and reason are what `ending` tells.
    }
  }

  var ending: (code: CloseCode, reason: String) {
    get async { (await socket.closeCode ?? .abnormal, await socket.closeReason) }
  }

  func roundTrip() async -> Duration? { try? await socket.roundTripTime() }

  var facts: [String] {
    get async {
      ["peer \(socket.peerAddress)", "subprotocol \(socket.subprotocol ?? "none")"]
        + socket.responseFields.map { "\($0.name): \($0.value)" }
    }
  }
}
