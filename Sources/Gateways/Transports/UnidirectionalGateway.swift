import JSON
import Realtime
import WebSocketCore
import WebSockets

/// WebSockets for clients that say what they want to hear in their first message, or in the URL, and then only listen.
final class UnidirectionalGateway: WebSocketHandler, @unchecked Sendable {
  /// What the opening handshake says.
  final class Opening: Sendable {
    /// What the URL says; nil if the first message is to say it.
    let request: UnidirectionalRequest?
    /// Fields for the backend.
    let headers: [(name: String, value: String)]
    /// What the client's address counts as.
    let address: CountedAddress

    init(
      _ request: UnidirectionalRequest?, headers: [(name: String, value: String)] = [],
      address: CountedAddress = .none
    ) {
      self.request = request
      self.headers = headers
      self.address = address
    }
  }

  /// A connection's session, and what it says.
  private final class Listener {
    let session: CentrifugoSession
    let output: UnidirectionalOutput

    init(_ session: CentrifugoSession, _ output: UnidirectionalOutput) {
      self.session = session
      self.output = output
    }
  }

  private static let carrier = SessionCarrier("uni_websocket")

  private let context: SessionContext
  private let encoding: Int

  init(hub: Hub, encoding: Int, options: CentrifugoOptions, counters: CentrifugoCounters) {
    context = SessionContext(hub, options, counters)
    self.encoding = encoding
  }

  override func opened(_ connection: WebSocketConnection) {
    let opening = connection.attachment as? Opening
    let output = UnidirectionalOutput(connection)
    let session = CentrifugoSession(
      context, encoding: encoding, carrier: Self.carrier, loop: connection.loop, output: output,
      headers: opening?.headers ?? [], address: opening?.address ?? .none)
    output.session = session
    connection.attachment = Listener(session, output)
    if let request = opening?.request { output.begin(request) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    guard let listener = connection.attachment as? Listener else { return }
    do {
      // Some send pings of their own as empty objects; only the first message counts.
      listener.output.begin(try UnidirectionalRequest(json: message))
    } catch {
      listener.session.close(.badRequest)
    }
  }

  override func drained(_ connection: WebSocketConnection) {
    (connection.attachment as? Listener)?.session.drained()
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    (connection.attachment as? Listener)?.session.closed()
    connection.attachment = nil
  }
}
