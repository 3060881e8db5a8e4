import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// A WebSocket on its event loop: what a ``WebSocketHandler`` gets and sends with. Loop-confined.
///
/// Everything sent during one turn of the loop leaves in one system call.
public final class WebSocketConnection: ConnectionHandler, TimerTarget, ServedConnection {
  /// What the connection's owner keeps beside it.
  public var attachment: AnyObject?
  /// The subprotocol that the handshake agreed on (client connections; a server's handler chose it itself).
  public internal(set) var subprotocol: String?
  /// The header fields of the server's response to the opening handshake, `Set-Cookie` among them (client connections;
  /// empty on a server).
  public internal(set) var responseFields = HTTPFields()

  let handler: WebSocketHandler
  let options: WebSocketOptions
  let role: WebSocketRole
  var transport: Connection?
  var decoder: MessageDecoder
  var closing = ClosingHandshake()
  var keepalive: Keepalive
  var timer: TimerID?
  let masking: MaskingKeys?
  let registry: ConnectionRegistry?
  var registryIndex = 0
  private let eventLoop: EventLoop
  private let address: SocketAddress

  init(
    transport: Connection, role: WebSocketRole, handler: WebSocketHandler, options: WebSocketOptions,
    registry: ConnectionRegistry?
  ) {
    self.transport = transport
    self.role = role
    self.handler = handler
    self.options = options
    self.registry = registry
    eventLoop = transport.loop
    address = transport.peerAddress
    decoder = MessageDecoder(role: role, limits: options.limits)
    keepalive = Keepalive(
      intervalMilliseconds: options.keepaliveIntervalMilliseconds,
      deadlineMilliseconds: options.pongDeadlineMilliseconds, now: transport.loop.nowMilliseconds)
    masking = role == .client ? MaskingKeys() : nil
    // The limit is enforced here, before a message is queued: one message of any size may always be sent.
    transport.maximumQueuedBytes = .max
  }

  /// The loop that owns the connection.
  public var loop: EventLoop { eventLoop }

  /// The address of the peer.
  public var peerAddress: SocketAddress { address }

  /// Whether messages can be sent.
  public var isOpen: Bool { closing.state == .open && transport?.isWritable == true }

  /// Bytes that wait for the kernel to take them.
  public var bufferedByteCount: Int { transport?.queuedByteCount ?? 0 }

  /// Offers the kernel at once what was sent in this turn; the loop does so anyway at the turn's end.
  public func flush() { transport?.flush() }

  /// Stops reading from the peer, whose sends then back up; what has been received already is still delivered.
  public func pauseReading() { transport?.pauseReading() }

  /// Goes on after ``pauseReading()``.
  public func resumeReading() { transport?.resumeReading() }

  /// The opening handshake is done.
  func open() {
    registry?.insert(self)
    setTimer()
    handler.opened(self)
  }

  // MARK: Events of the transport

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    keepalive.received(now: eventLoop.nowMilliseconds)
    var input = bytes
    do {
      while closing.state != .finished, let event = try decoder.next(&input) { handle(event) }
    } catch {
      registry?.counters.count(error)
      fail(error.closeCode, error.description)
    }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func receivedEnd(on connection: Connection) {
    connection.close()
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func drained(_ connection: Connection) {
    if isOpen { handler.drained(self) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    transport = nil
    cancelTimer()
    registry?.remove(self)
    let outcome = closing.endOfStream(reason: reason.explanation)
    handler.closed(self, code: outcome.code, reason: outcome.reason)
  }

  private func handle(_ event: WebSocketEvent) {
    // Behind our own close frame only the peer's is of interest.
    if closing.state == .closeSent, !event.isClose { return }
    switch event {
    case .message(let kind, let payload):
      handler.received(payload, kind, on: self)
    case .fragment:
      preconditionFailure("the decoder was asked for whole messages")
    case .ping(let payload):
      pong(payload)
    case .pong(let payload):
      handler.receivedPong(payload, on: self)
    case .close(let code, let reason):
      receivedClose(code, reason)
    }
  }
}

extension WebSocketConnection: @unchecked Sendable {}

extension WebSocketEvent {
  fileprivate var isClose: Bool { if case .close = self { true } else { false } }
}

extension ConnectionCloseReason {
  /// The reason, for people.
  var explanation: String {
    switch self {
    case .ended: "The connection ended without a close frame."
    case .aborted: "The connection was cut."
    case .outboundQueueOverflow: "The peer reads too slowly: its outbound queue is full."
    case .lingerTimedOut: "The peer did not end the connection in time."
    case .failed(let errno): TransportError.text(of: errno)
    case .tlsFailed(let error): error.message
    case .loopStopped: "The event loop was shut down."
    }
  }
}
