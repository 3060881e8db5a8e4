import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// The opening handshake of a client on a fresh connection: request out, response in, then the connection is a
/// WebSocket or an error.
final class ClientHandshake: ConnectionHandler, TimerTarget, @unchecked Sendable {
  typealias Completion = (Result<WebSocketConnection, WebSocketError>) -> Void

  /// Interim responses (1xx) that are passed over.
  private static let maximumInterimResponses = 8

  private let request: HTTPRequestHead
  private let key: String
  private let options: WebSocketClientOptions
  private let handler: WebSocketHandler
  private var decoder = HTTPResponseDecoder(limits: HTTPLimits())
  private var interimResponses = 0
  private var transport: Connection?
  private var timer: TimerID?
  private var completion: Completion?

  init(
    request: HTTPRequestHead, key: String, options: WebSocketClientOptions, handler: WebSocketHandler,
    completion: @escaping Completion
  ) {
    self.request = request
    self.key = key
    self.options = options
    self.handler = handler
    self.completion = completion
  }

  override func connected(_ connection: Connection) {
    transport = connection
    var writer = ByteWriter()
    do {
      try HTTPEncoder.encode(request, into: &writer)
    } catch {
      end(WebSocketError(.invalidURL, "The request has an invalid field.", cause: error))
      return
    }
    timer = connection.loop.schedule(after: options.handshakeTimeoutMilliseconds, self, token: 0)
    writer.bytes.withUnsafeBytes { connection.write($0) }
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    guard completion != nil else { return }
    var input = UnsafeRawBufferPointer(bytes)
    do {
      guard let head = try finalHead(&input) else { return }
      let subprotocol = try check(head)
      finish(subprotocol, rest: UnsafeMutableRawBufferPointer(mutating: input), connection)
    } catch let error as WebSocketError {
      end(error)
    } catch {
      end(WebSocketError(.handshakeFailed, "The server's answer is not valid HTTP.", cause: error))
    }
  }

  override func receivedEnd(on connection: Connection) {
    end(WebSocketError(.handshakeFailed, "The server ended the connection before it answered."))
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    transport = nil
    end(WebSocketError(.handshakeFailed, "The connection ended before the server answered: \(reason)"))
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    end(WebSocketError(.handshakeFailed, "The server did not answer the handshake in time."))
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

  private func check(_ head: HTTPResponseHead) throws -> String? {
    guard head.status.code == 101 else {
      throw WebSocketError(.handshakeFailed, "The server refused the WebSocket.", status: head.status)
    }
    do {
      return try OpeningHandshake.clientCheck(head, key: key, offered: options.subprotocols)
    } catch {
      throw WebSocketError(.handshakeFailed, "\(error)", status: head.status, cause: error)
    }
  }

  private func finish(_ subprotocol: String?, rest: UnsafeMutableRawBufferPointer, _ connection: Connection) {
    cancelTimer()
    let completion = completion
    self.completion = nil
    transport = nil
    let socket = WebSocketConnection(
      transport: connection, role: .client, handler: handler, options: options.socket, registry: nil)
    socket.subprotocol = subprotocol
    connection.handler = socket
    completion?(.success(socket))
    socket.open()
    if !rest.isEmpty { socket.received(rest, on: connection) }
  }

  private func end(_ error: WebSocketError) {
    cancelTimer()
    transport?.abort()
    transport = nil
    let completion = completion
    self.completion = nil
    completion?(.failure(error))
  }

  private func cancelTimer() {
    if let timer { transport?.loop.cancel(timer) }
    timer = nil
  }
}
