import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// The opening handshake of a client on a fresh connection: request out, response in, then the connection is a
/// WebSocket or an error.
final class ClientHandshake: ConnectionHandler, TimerTarget, @unchecked Sendable {
  /// What came of it.
  enum Outcome {
    case open(WebSocketConnection)
    /// The response leads to another URL; the connection is closed.
    case redirected(HTTPResponseHead, location: String, sentAt: UInt64)
    case failed(WebSocketError)
  }

  /// Interim responses (1xx) that are passed over.
  private static let maximumInterimResponses = 8
  /// What is kept of a refusal's body.
  private static let maximumBodyBytes = 4_096
  /// How long a refusal's body may take once its head is there.
  private static let bodyMilliseconds: UInt64 = 1_000

  private let request: ClientRequest
  private let options: WebSocketClientOptions
  private let handler: WebSocketHandler
  private let timeoutMilliseconds: UInt64
  // Bodies of refusals are cut, not refused.
  private var decoder = HTTPResponseDecoder(limits: HTTPLimits(maximumBodyBytes: .max))
  private var interimResponses = 0
  private var refusal: HTTPResponseHead?
  private var body: [UInt8] = []
  private var transport: Connection?
  private var timer: TimerID?
  private var completion: ((Outcome) -> Void)?
  /// When the request was sent, by the loop's clock.
  private var start: UInt64 = 0

  init(
    _ request: ClientRequest, options: WebSocketClientOptions, handler: WebSocketHandler,
    timeoutMilliseconds: UInt64, completion: @escaping (Outcome) -> Void
  ) {
    self.request = request
    self.options = options
    self.handler = handler
    self.timeoutMilliseconds = timeoutMilliseconds
    self.completion = completion
  }

  override func connected(_ connection: Connection) {
    transport = connection
    start = connection.loop.nowMilliseconds
    var writer = ByteWriter()
    do {
      try HTTPEncoder.encode(request.head, into: &writer)
    } catch {
      return fail(WebSocketError(.invalidOptions, "The request has an invalid field.", cause: error))
    }
    setTimer(timeoutMilliseconds)
    writer.bytes.withUnsafeBytes { connection.write($0) }
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    guard completion != nil else { return }
    var input = UnsafeRawBufferPointer(bytes)
    do {
      if refusal == nil {
        guard let head = try finalHead(&input) else { return }
        if head.status.code == 101 {
          let agreement = try check(head)
          return open(head, agreement, UnsafeMutableRawBufferPointer(mutating: input), connection)
        }
        if options.maximumRedirects > 0, let location = head.redirectLocation {
          return end(.redirected(head, location: location, sentAt: start))
        }
        refusal = head
        setTimer(min(Self.bodyMilliseconds, timeoutMilliseconds))
      }
      try readBody(&input)
    } catch let error as WebSocketError {
      fail(error)
    } catch {
      if refusal != nil { return refused() }
      fail(WebSocketError(.handshakeFailed, "The server's answer is not valid HTTP.", cause: error))
    }
  }

  override func receivedEnd(on connection: Connection) {
    if refusal != nil { return refused() }
    fail(WebSocketError(.handshakeFailed, "The server ended the connection before it answered."))
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    transport = nil
    cancelTimer(connection.loop)
    if refusal != nil { return refused() }
    let message = "The connection ended before the server answered: \(reason.explanation)"
    fail(WebSocketError(.handshakeFailed, message))
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    if refusal != nil { return refused() }
    fail(WebSocketError(.handshakeFailed, "The server did not answer the handshake in time."))
  }

  /// RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response".
  private func finalHead(_ input: inout UnsafeRawBufferPointer) throws -> HTTPResponseHead? {
    while case .head(let head)? = try decoder.next(&input) {
      if head.status.code >= 200 || head.status.code == 101 { return head }
      interimResponses += 1
      guard interimResponses <= Self.maximumInterimResponses else {
        throw WebSocketError(.handshakeFailed, "The server sends interim responses without end.")
      }
    }
    return nil
  }

  private func check(_ head: HTTPResponseHead) throws -> HandshakeAgreement {
    do {
      return try OpeningHandshake.clientCheck(
        head, key: request.key, offered: options.subprotocols, compression: options.socket.compression)
    } catch {
      throw WebSocketError(.handshakeFailed, "\(error)", cause: error, refusedBy: head)
    }
  }

  /// Keeps the beginning of a refusal's body: it often says why.
  private func readBody(_ input: inout UnsafeRawBufferPointer) throws {
    while let event = try decoder.next(&input) {
      switch event {
      case .head: return
      case .body(let bytes):
        body.append(contentsOf: bytes.prefix(Self.maximumBodyBytes - body.count))
        if body.count >= Self.maximumBodyBytes { return refused() }
      case .end: return refused()
      }
    }
  }

  // MARK: Ends

  private func open(
    _ head: HTTPResponseHead, _ agreement: HandshakeAgreement, _ rest: UnsafeMutableRawBufferPointer,
    _ connection: Connection
  ) {
    transport = nil
    let socket = WebSocketConnection(
      transport: connection, role: .client, handler: handler, options: options.socket,
      compression: agreement.compression, registry: nil)
    socket.subprotocol = agreement.subprotocol
    socket.responseFields = head.fields
    connection.handler = socket
    cancelTimer(connection.loop)
    end(.open(socket))
    socket.open()
    if !rest.isEmpty { socket.received(rest, on: connection) }
  }

  private func refused() {
    guard let refusal else { return }
    fail(
      WebSocketError(
        .handshakeFailed, "The server refused the WebSocket.", refusedBy: refusal, body: body))
  }

  private func fail(_ error: WebSocketError) { end(.failed(error)) }

  private func end(_ outcome: Outcome) {
    if let transport {
      cancelTimer(transport.loop)
      transport.abort()
    }
    transport = nil
    let completion = completion
    self.completion = nil
    completion?(outcome)
  }

  private func setTimer(_ milliseconds: UInt64) {
    guard let loop = transport?.loop else { return }
    cancelTimer(loop)
    timer = loop.schedule(after: milliseconds, self, token: 0)
  }

  private func cancelTimer(_ loop: EventLoop) {
    if let timer { loop.cancel(timer) }
    timer = nil
  }
}
