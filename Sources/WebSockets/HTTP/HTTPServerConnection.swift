import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// The server side of an HTTP/1.1 connection: requests in, one at a time, responses out, until it is closed or becomes a
/// WebSocket.
final class HTTPServerConnection: ConnectionHandler, TimerTarget, ServedConnection, @unchecked Sendable {
  enum State {
    /// Between requests, or in the middle of one.
    case reading
    /// A request is with the service, and its body on its way there.
    case receiving
    /// A request is with the service; what else arrives waits in `unread`.
    case answering
    /// A response was given that the client has not taken yet; what else arrives waits in `unread`.
    case flushing
    /// A body is being written over time; what else arrives waits in `unread`.
    case streaming
    /// The last response was given; the transport sees to it that the client can read it.
    case ending
    case upgraded
    case closed
  }

  /// The next request is read when no more bytes than this of the responses before it wait for the client.
  private static let maximumQueuedBytes = 1 << 16
  /// How long the client may take to end its side when the kernel has the last response.
  private static let lingerMilliseconds: UInt64 = 2_000

  let service: any HTTPService
  let registry: ConnectionRegistry
  var registryIndex: UInt32 = 0
  private(set) var transport: Connection?
  /// Who sends the requests, where the server itself passes them on.
  var knownOrigin: ForwardedRequest?
  var state = State.reading
  private(set) var decoder: HTTPRequestDecoder
  /// The body on its way to the service.
  var incoming: HTTPRequestBody?
  /// The client has ended its side, and what it sent before still waits for the body's reader.
  var hasClientEnded = false
  var head: HTTPRequestHead?
  private var body: [UInt8] = []
  /// Bytes behind the request that is being answered.
  var unread: [UInt8] = []
  var timer: TimerID?
  private var isInRequest = false
  /// When the request under way was first waited for, and when it was there whole, in the loop's milliseconds.
  var since: UInt64 = 0
  private var handedAt: UInt64 = 0
  var isReadingPaused = false
  /// True while `process` runs, which then goes on by itself after an answer.
  private(set) var isProcessing = false
  /// Whether the client will send nothing more, or the server ends this connection.
  var isDraining = false
  /// Whether the response under way is the connection's last: also while the server ends others and has not come to
  /// this one, so that a client does not begin anew what would soon be cut.
  var isLast: Bool { isDraining || registry.isDraining }
  /// Told if the client goes away before it is answered.
  var watch: (countsEnd: Bool, gone: () -> Void)?
  /// Told if the server ends before it has answered.
  var endWatch: (() -> Void)?
  /// The body under way, and who hears what becomes of it.
  var streaming: (stream: HTTPResponseStream, handler: HTTPStreamHandler)?

  init(service: any HTTPService, registry: ConnectionRegistry) {
    self.service = service
    self.registry = registry
    decoder = HTTPRequestDecoder(limits: registry.options.limits)
  }

  override func connected(_ connection: Connection) {
    transport = connection
    // Responses come one at a time, each as large as it is; `flushing` bounds what waits.
    connection.maximumQueuedBytes = .max
    registry.insert(self)
    beginRequest()
    if registry.isDraining { drain(code: .goingAway, reason: "") }
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    switch state {
    case .reading:
      if !isInRequest { beginRequest() }
      process(UnsafeRawBufferPointer(bytes))
    case .receiving where incoming?.isHeld == false:
      process(UnsafeRawBufferPointer(bytes))
    case .receiving, .answering, .flushing, .streaming:
      unread.append(contentsOf: bytes)
      // It was read so that the client's end is seen; more than this is not kept.
      pause(connection)
    case .ending, .upgraded, .closed:
      break
    }
  }

  override func receivedEnd(on connection: Connection) {
    switch state {
    case .reading, .flushing: end()
    case .receiving: bodyEnds()
    case .answering:
      isDraining = true
      if watch?.countsEnd == true { tellGone() }
    case .streaming:
      // Who waits for what may come in an hour, and has ended its side, has gone.
      tellStreamGone()
      end()
    case .ending, .upgraded, .closed: break
    }
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    guard state != .closed else { return }
    state = .closed
    leave()
    transport = nil
    endWatch = nil
    loseBody()
    tellGone()
    tellStreamGone()
  }

  // MARK: Requests

  /// Walks the input: a request, its answer, the next request.
  func process(_ bytes: UnsafeRawBufferPointer) {
    isProcessing = true
    defer { isProcessing = false }
    var input = bytes
    do {
      while takesInput, let event = try decoder.next(&input, isBodyUnbounded: service.streamsBody) {
        switch event {
        case .head(let head): begin(head)
        case .body(let bytes): if incoming == nil { body.append(contentsOf: bytes) } else { deliver(bytes) }
        case .end: if incoming == nil { hand() } else { finishBody() }
        }
      }
    } catch {
      registry.counters.requestsRejected.count()
      loseBody()
      refuse(error.suggestedStatus, error.description)
    }
    if state == .reading, !isInRequest, !decoder.isIdle { beginRequest() }
    defer { readOn() }
    guard !input.isEmpty else { return }
    if state == .upgraded, let socket = transport?.handler as? WebSocketConnection, let transport {
      socket.received(UnsafeMutableRawBufferPointer(mutating: input), on: transport)
    } else if [.receiving, .answering, .flushing, .streaming].contains(state) {
      unread.append(contentsOf: input)
    }
  }

  private func beginRequest() {
    isInRequest = true
    since = registry.loop.nowMilliseconds
    setTimer(registry.options.requestTimeoutMilliseconds)
  }

  private func begin(_ head: consuming HTTPRequestHead) {
    let awaitsContinue = head.version.minor >= 1 && head.fields["Expect"]?.lowercased() == "100-continue"
    self.head = head
    if decoder.isBodyUnbounded {
      handEarly()
      guard state == .receiving else { return }
    }
    // RFC 9110 §10.1.1: the client waits for this before it sends the body.
    if awaitsContinue {
      let line: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
      transport?.write(UnsafeRawBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount))
    }
  }

  /// The request has arrived whole.
  private func hand() {
    guard let head, let transport else { return }
    state = .answering
    cancelTimer()
    let body = self.body
    self.body = []
    hand(head, body, nil, transport)
    rest(transport)
  }

  /// The request's body is still to come.
  private func handEarly() {
    guard let head, let transport else { return }
    state = .receiving
    setTimer(registry.options.requestTimeoutMilliseconds)
    let incoming = HTTPRequestBody(self)
    self.incoming = incoming
    hand(head, [], incoming, transport)
    if incoming.isHeld { bodyPauses() }
  }

  private func hand(
    _ head: consuming HTTPRequestHead, _ body: [UInt8], _ incoming: HTTPRequestBody?, _ transport: Connection
  ) {
    isInRequest = false
    handedAt = registry.loop.nowMilliseconds
    var origin =
      knownOrigin ?? ForwardedRequest(peer: transport.peerAddress, isSecure: transport.isSecure)
    if knownOrigin == nil, registry.trustsProxies { origin.believe(head.fields, registry.options) }
    service.handle(
      HTTPExchange(
        head: head, body: body, incomingBody: incoming, origin: origin, connection: self, transport: transport
      ))
  }

  /// Reads no further while an answer is waited for, unless the client's end is to be seen.
  func rest(_ transport: Connection) {
    if state == .answering, watch?.countsEnd != true || !unread.isEmpty { pause(transport) }
  }

  func countResponse() {
    registry.counters.responses.record(milliseconds: registry.loop.nowMilliseconds - handedAt)
  }

  func pause(_ transport: Connection) {
    guard !isReadingPaused else { return }
    isReadingPaused = true
    transport.pauseReading()
  }

  // MARK: Answers

  func respond(_ response: HTTPResponse) {
    guard state == .answering || state == .receiving, let head, let transport else { return }
    self.head = nil
    watch = nil
    countResponse()
    endWatch = nil
    // Where a next request would begin is not known before the body's end.
    let keepsAlive = head.isKeepAlive && !isLast && state == .answering
    loseBody()
    let isWritten = write(
      response, isHead: head.method == .head, keepsAlive: keepsAlive, isHTTP10: head.version == .http10)
    guard isWritten else { return }
    answered(keepsAlive: keepsAlive, transport)
  }

  /// The response is written whole: the next request, or the end.
  func answered(keepsAlive: Bool, _ transport: Connection) {
    guard keepsAlive else { return end() }
    setTimer(registry.options.idleTimeoutMilliseconds)
    if transport.queuedByteCount > Self.maximumQueuedBytes { transport.flush() }
    guard transport.queuedByteCount <= Self.maximumQueuedBytes else {
      state = .flushing
      return pause(transport)
    }
    state = .reading
    if !isProcessing { goOn(transport) }
  }

  override func drained(_ connection: Connection) {
    if let streaming { return streaming.handler.drained(streaming.stream) }
    guard state == .flushing else { return }
    state = .reading
    setTimer(registry.options.idleTimeoutMilliseconds)
    goOn(connection)
    // The response that was on its way had promised to go on; it is through now.
    if registry.isDraining, state == .reading, decoder.isIdle { end() }
  }

  /// Takes up what arrived while the last request was being answered.
  private func goOn(_ transport: Connection) {
    let bytes = unread
    unread = []
    if !bytes.isEmpty { bytes.withUnsafeBytes { process($0) } }
    if state == .reading, isReadingPaused {
      isReadingPaused = false
      transport.resumeReading()
    }
  }

  /// Answers what could not be understood, and ends the connection.
  func refuse(_ status: HTTPStatus, _ reason: String) {
    guard write(.text(status, reason + "\n"), isHead: false, keepsAlive: false) else { return }
    end()
  }

  func end() {
    state = .ending
    cancelTimer()
    guard let transport else { return }
    transport.flush()
    // A client that has not taken the response yet has as much time for it as for one that is not the last.
    transport.close(
      lingerMilliseconds: transport.queuedByteCount > 0
        ? max(registry.options.idleTimeoutMilliseconds, Self.lingerMilliseconds) : Self.lingerMilliseconds)
  }

  func leave() {
    cancelTimer()
    registry.remove(self)
  }
}
