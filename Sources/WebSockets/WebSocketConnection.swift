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
  public internal(set) var subprotocol: String? {
    get { details?.subprotocol }
    set { if newValue != nil || details != nil { makeDetails().subprotocol = newValue } }
  }
  /// The header fields of the server's response to the opening handshake, `Set-Cookie` among them (client connections;
  /// empty on a server).
  public internal(set) var responseFields: HTTPFields {
    get { details?.responseFields ?? HTTPFields() }
    set { makeDetails().responseFields = newValue }
  }

  let handler: WebSocketHandler
  let options: WebSocketOptions
  /// The byte stream; after its end it takes nothing and holds nothing.
  let stream: Connection
  let registry: ConnectionRegistry?
  /// What few connections have; nil until there is something of it.
  private(set) var details: ConnectionDetails?
  var closing = ClosingHandshake()
  var decoder: MessageDecoder
  var reading: ReadingState = []
  /// The end was reported.
  var isGone = false
  var registryIndex: UInt32 = 0
  var timer = TimerID.none
  var keepalive: Keepalive

  init(
    transport: Connection, role: WebSocketRole, handler: WebSocketHandler, options: WebSocketOptions,
    compression: DeflateAgreement? = nil, registry: ConnectionRegistry?
  ) {
    stream = transport
    self.handler = handler
    self.options = options
    self.registry = registry
    var shared: MessageCompression?
    if let compression, let deflate = options.compression {
      shared = transport.loop.storage { _ in CompressionPool() }.compression(compression, deflate)
    }
    decoder = MessageDecoder(
      role: role, limits: options.limits, delivery: options.delivery, compression: shared)
    keepalive = Keepalive(now: transport.loop.nowMilliseconds)
    super.init()
    if role == .client { makeDetails().masking = transport.loop.storage { _ in MaskingKeys() } }
    // The limit is enforced here, before a message is queued: one message of any size may always be sent.
    transport.maximumQueuedBytes = .max
  }

  public override func prefetch(depth: Int) {
    if depth == 1 { Unmanaged.passUnretained(handler).prefetch() } else { handler.prefetch() }
  }

  /// Which end this is.
  var role: WebSocketRole { decoder.role }

  /// Frames are neither masked nor compressed.
  var sendsPlainly: Bool { role == .server && decoder.compression == nil }

  /// A client's.
  var masking: MaskingKeys? { role == .server ? nil : details?.masking }

  /// The message that is being sent in fragments.
  var outgoing: OutgoingMessage? {
    get { details?.outgoing }
    set { if newValue != nil || details != nil { makeDetails().outgoing = newValue } }
  }

  /// Input that arrived before a pause and waits for its end.
  var unread: [UInt8] {
    get { details?.unread ?? [] }
    set { if !newValue.isEmpty || details != nil { makeDetails().unread = newValue } }
  }

  func makeDetails() -> ConnectionDetails {
    if let details { return details }
    let made = ConnectionDetails()
    details = made
    return made
  }

  /// The loop that owns the connection.
  public var loop: EventLoop { stream.loop }

  /// The address of the peer.
  public var peerAddress: SocketAddress { stream.peerAddress }

  /// Whether messages can be sent.
  public var isOpen: Bool { closing.state == .open && stream.isWritable }

  /// Bytes that wait for the kernel to take them, or for the end of a message that is sent in fragments.
  public var bufferedByteCount: Int { stream.queuedByteCount + heldByteCount }

  /// How many of them wait for the end of a message that is sent in fragments.
  var heldByteCount: Int { details == nil ? 0 : outgoing?.waitingBytes ?? 0 }

  /// Where the next frame will begin among all bytes of the connection, the opening handshake's included.
  var writtenByteCount: UInt64 { stream.writtenByteCount }

  /// How many of these bytes the kernel has taken for certain; known after the end, too.
  var flushedByteCount: UInt64 { stream.flushedByteCount }

  /// Whether ``pauseReading()`` is in force.
  var isReadingPaused: Bool { stream.isReadingPaused }

  /// Whether more than so many bytes wait after the kernel was offered them: then ``WebSocketHandler/drained(_:)`` will follow.
  ///
  /// What was sent in this turn and not offered yet may all be taken at the turn's end, and then nothing follows: who
  /// pauses until `drained` asks here, not ``bufferedByteCount``.
  public func isBackedUp(beyond byteCount: Int) -> Bool {
    guard bufferedByteCount > byteCount else { return false }
    stream.flush()
    return stream.queuedByteCount > byteCount
  }

  /// Offers the kernel at once what was sent in this turn; the loop does so anyway at the turn's end.
  public func flush() { stream.flush() }

  /// What permessage-deflate was agreed on with the peer; nil without it.
  public var compression: DeflateAgreement? { decoder.compression?.agreement }

  /// The opening handshake is done.
  func open() {
    registry?.insert(self)
    setTimer()
    handler.opened(self)
  }

  // MARK: Events of the transport

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func receivedEnd(on connection: Connection) {
    connection.close()
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    keepalive.received(now: stream.loop.nowMilliseconds)
    read(bytes)
    // A task that waited for this takes it, and answers, before the next connection is read.
    if reading.contains(.hasWoken) {
      reading.remove(.hasWoken)
      stream.loop.runJobsPromptly()
    }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func drained(_ connection: Connection) {
    if isOpen { handler.drained(self) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    isGone = true
    outgoing = nil
    unread = []
    cancelTimer()
    registry?.remove(self)
    if let registry, let since = stream.endingSince {
      registry.counters.closings.record(milliseconds: loop.nowMilliseconds - since)
    }
    let outcome = closing.endOfStream(reason: reason.explanation)
    handler.closed(self, code: outcome.code, reason: outcome.reason)
  }
}

extension WebSocketConnection: @unchecked Sendable {}

/// What few connections have, apart, so that the others do not pay for it.
final class ConnectionDetails {
  var masking: MaskingKeys?
  var subprotocol: String?
  var responseFields = HTTPFields()
  var outgoing: OutgoingMessage?
  var unread: [UInt8] = []
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
