import EventLoops
import HTTPCore
import Transport

/// One connection of a client: a request, its response, the next request. Loop-confined.
final class HTTPClientConnection: ConnectionHandler, TimerTarget, @unchecked Sendable {
  private let pool: HTTPClientPool
  private var attempt: ConnectionAttempt?
  private var transport: Connection?
  private var decoder: HTTPResponseDecoder
  private var call: HTTPClientCall?
  private var head: HTTPResponseHead?
  private var body: [UInt8] = []
  /// Whether anything of the response to the call has come.
  private var hasAnswered = false
  /// Responses that were complete.
  private var answerCount = 0
  private var idleTimer: TimerID?
  private var isOver = false

  init(of pool: HTTPClientPool) {
    self.pool = pool
    decoder = HTTPResponseDecoder(limits: pool.options.limits)
  }

  // MARK: Opening

  func open(for call: HTTPClientCall) {
    self.call = call
    call.connection = self
    let (origin, options, loop) = (pool.origin, pool.options, pool.loop)
    var first: ConnectionHandler = self
    if origin.isSecure {
      do {
        first = TLSStage(
          try TLSClientContext.shared(for: options.tls), host: origin.host, port: origin.port,
          deadline: loop.nowMilliseconds + options.connectTimeoutMilliseconds, next: self
        ) { [self] in failed($0) }
      } catch {
        return failed(error)
      }
    }
    attempt = Connector.connect(
      loop: loop, host: origin.host, port: origin.port,
      timeoutMilliseconds: options.connectTimeoutMilliseconds, handler: first
    ) { [self] result in
      attempt = nil
      switch result {
      case .success(let connection):
        // During the handshake of TLS it is not yet this handler's.
        if isOver { connection.abort() } else { transport = connection }
      case .failure(let error): failed(error)
      }
    }
  }

  private func failed(_ error: TransportError) {
    call?.end(.failure(HTTPClientError(.connectFailed, error.message, cause: error)))
    end(repeating: nil)
  }

  override func connected(_ connection: Connection) {
    transport = connection
    guard !isOver, call != nil else { return abandon() }
    send()
  }

  // MARK: Requests

  /// The next request, on a connection that has answered before.
  func take(_ call: HTTPClientCall) {
    if let idleTimer { pool.loop.cancel(idleTimer) }
    idleTimer = nil
    self.call = call
    call.connection = self
    send()
  }

  private func send() {
    guard let call, let transport else { return }
    (head, body, hasAnswered) = (nil, [], false)
    decoder.expect(call.request.method)
    // The body is the caller's, and as long as that: it waits here if the server is slow.
    transport.maximumQueuedBytes = .max
    call.message.withUnsafeBytes { transport.write($0) }
  }

  /// Waits for the next request for a while.
  func rest() {
    idleTimer = pool.loop.schedule(after: pool.options.idleTimeoutMilliseconds, self, token: 0)
  }

  func timerFired(_ token: UInt64) {
    idleTimer = nil
    end(repeating: nil)
  }

  // MARK: Responses

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    // What nobody has asked for would be taken for the answer to the next request.
    guard !isOver, call != nil else { return abandon() }
    hasAnswered = true
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while call != nil, let event = try decoder.next(&input) { take(event) }
    } catch {
      return fail(.invalidResponse, error.description)
    }
    if call == nil, !isOver { goOn(isClean: input.isEmpty) }
  }

  override func receivedEnd(on connection: Connection) {
    if call != nil, hasAnswered, !connection.isTruncated {
      do {
        // A response that has no other end.
        if let event = try decoder.endOfInput() { take(event) }
      } catch {
        return fail(.invalidResponse, error.description)
      }
    }
    lost()
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) { lost() }

  private func take(_ event: HTTPResponseEvent) {
    switch event {
    case .head(let head):
      // 1xx, but for the one that changes the protocol, comes before the answer (RFC 9110 §15.2).
      if head.status.code == 101 { return fail(.invalidResponse, "The server changes the protocol.") }
      if head.status.code >= 200 { self.head = head }
    case .body(let bytes): body.append(contentsOf: bytes)
    case .end:
      guard let head, let call else { return }
      self.call = nil
      answerCount += 1
      call.end(.success(HTTPClientResponse(status: head.status, fields: head.fields, body: body)))
    }
  }

  /// The response is complete.
  private func goOn(isClean: Bool) {
    let isKept = isClean && head?.isKeepAlive == true && transport?.isWritable == true
    // A server that answered before it had read everything does not read the rest.
    guard isKept, transport?.queuedByteCount == 0 else { return end(repeating: nil) }
    body = []
    pool.free(self)
  }

  // MARK: The end

  private func fail(_ code: HTTPClientError.Code, _ description: String) {
    call?.fail(code, "\(pool.origin.host): \(description)")
    end(repeating: nil)
  }

  /// The server has ended the connection.
  private func lost() {
    guard !isOver else { return }
    guard let call else { return end(repeating: nil) }
    let isUnseen = answerCount > 0 && !hasAnswered
    if isUnseen, call.request.isRepeatable, !call.wasRepeated, !call.isOver {
      call.wasRepeated = true
      return end(repeating: call)
    }
    fail(.closed, "the server ended the connection before it had answered.")
  }

  /// Nobody waits for the answer any more.
  func abandon() {
    call?.fail(.closed, "The client was closed.")
    end(repeating: nil)
  }

  private func end(repeating call: HTTPClientCall?) {
    guard !isOver else { return }
    isOver = true
    let isQuiet = self.call == nil && answerCount > 0
    self.call = nil
    if let idleTimer { pool.loop.cancel(idleTimer) }
    idleTimer = nil
    attempt?.cancel()
    attempt = nil
    if isQuiet { transport?.close() } else { transport?.abort() }
    transport = nil
    call?.connection = nil
    pool.ended(self, repeating: call)
  }
}
