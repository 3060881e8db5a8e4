import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// One request on a server connection, and the way to answer it.
///
/// Loop-confined: its methods are called on ``loop``; from elsewhere go there by `exchange.loop.execute { … }`.
public final class HTTPExchange: @unchecked Sendable {
  /// The request's method, target and fields.
  public let head: HTTPRequestHead
  /// The request's body, whole.
  public let body: [UInt8]
  /// The loop that owns the connection.
  public let loop: EventLoop
  /// The address of the peer.
  public let peerAddress: SocketAddress
  /// Taken by the answer.
  private var connection: HTTPServerConnection?

  init(head: HTTPRequestHead, body: [UInt8], connection: HTTPServerConnection, transport: Connection) {
    self.head = head
    self.body = body
    self.loop = transport.loop
    self.peerAddress = transport.peerAddress
    self.connection = connection
  }

  /// A service that forgets an exchange would leave the client waiting for ever: answer 500 in its place.
  deinit {
    guard let connection else { return }
    loop.execute { connection.respond(.text(.internalServerError, "The server gave no answer.\n")) }
  }

  /// Answers the request. A second answer is ignored.
  public func respond(_ response: HTTPResponse) {
    take()?.respond(response)
  }

  /// Answers 101 and turns the connection into a WebSocket.
  ///
  /// A request that is not a valid opening handshake (RFC 6455 §4.2.1) is answered 400, 405 or 426 instead, and the
  /// handler is not called.
  ///
  /// - Parameters:
  ///   - handler: gets the connection's events, ``WebSocketHandler/opened(_:)`` first.
  ///   - subprotocol: the subprotocol chosen from those that the client offered.
  ///   - options: limits and deadlines.
  ///   - fields: further header fields of the 101 response.
  ///   - attachment: the connection's first ``WebSocketConnection/attachment``.
  public func upgrade(
    to handler: WebSocketHandler, subprotocol: String? = nil, options: WebSocketOptions = WebSocketOptions(),
    fields: HTTPFields = HTTPFields(), attachment: AnyObject? = nil
  ) {
    switch OpeningHandshake.serverCheck(head) {
    case .upgrade(let key):
      let accepted = options.compression.flatMap { DeflateNegotiation.accept(head.fields, $0) }
      let response = OpeningHandshake.response(
        key: key, subprotocol: subprotocol, extensions: accepted?.response, fields: fields)
      take()?.upgrade(
        response, to: handler, options: options, compression: accepted?.agreement, attachment: attachment)
    case .notAnUpgrade:
      var response = HTTPResponse.text(.upgradeRequired, "This address speaks WebSocket only.\n")
      response.fields.append("Upgrade", "websocket")
      respond(response)
    case .reject(let status, let fields, let reason):
      var response = HTTPResponse.text(status, reason + "\n")
      for (name, value) in fields { response.fields.append(name, value) }
      respond(response)
    }
  }

  private func take() -> HTTPServerConnection? {
    defer { connection = nil }
    return connection
  }
}
