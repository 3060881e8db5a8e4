import EventLoops
import Glibc
import WebSockets

/// Publishes to a channel that all idle connections have subscribed to: the next publication when each of them, but for
/// those that are late for the ones before, has the last.
final class FanOut: WebSocketHandler, @unchecked Sendable {
  /// Publications on their way at once, so that the server's loop is never idle.
  private static let depth = 4

  private let subscribers: Int
  private let payload: String
  private var published = 0
  private var connection: WebSocketConnection?
  /// Deliveries since the measurement began.
  private(set) var deliveries = 0
  var isMeasuring = false
  var isStopping = false

  init(subscribers: Int, size: Int) {
    self.subscribers = subscribers
    payload = String(repeating: "x", count: size)
  }

  override func opened(_ connection: WebSocketConnection) {
    self.connection = connection
    connection.send(#"{"id":1,"connect":{}}"#)
    for _ in 0..<Self.depth { publish() }
  }

  /// One subscriber has one publication.
  func delivered() {
    if isMeasuring { deliveries += 1 }
    received += 1
    if received % subscribers == 0 { publish() }
  }

  private var received = 0

  private func publish() {
    guard !isStopping else { return }
    published += 1
    connection?.send(
      #"{"id":\#(published + 1),"publish":{"channel":"news:1","data":"\#(payload)"}}"#)
  }
}
