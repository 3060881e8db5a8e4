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
  /// The request's body, whole; empty where it is ``incomingBody``.
  public let body: [UInt8]
  /// The body as it arrives, where the service wants it so (``HTTPService/streamsBody(of:)``). Until its end the request is
  /// answered by ``respond(_:)`` only; the connection then ends behind the answer.
  public let incomingBody: HTTPRequestBody?
  /// The loop that owns the connection.
  public let loop: EventLoop
  /// The address of the peer: the client, or the HTTP proxy that it came through.
  public let peerAddress: SocketAddress
  /// The certificate that the client has proved to hold, where the server asks for one; see
  /// ``TLSServerOptions/clientCertificates``.
  public let clientCertificate: TLSPeerCertificate?
  /// Who sent the request, and how, as far as trusted proxies tell.
  let origin: ForwardedRequest
  /// Taken by the answer.
  private(set) var connection: HTTPServerConnection?

  init(
    head: HTTPRequestHead, body: [UInt8], incomingBody: HTTPRequestBody? = nil, origin: ForwardedRequest,
    connection: HTTPServerConnection,
    transport: Connection
  ) {
    self.head = head
    self.body = body
    self.incomingBody = incomingBody
    self.loop = transport.loop
    self.peerAddress = transport.peerAddress
    self.clientCertificate = transport.peerCertificate
    self.origin = origin
    self.connection = connection
  }

  /// The address of the client: the peer's, or what trusted proxies forward, see ``HTTPServerOptions/trustedProxies``.
  public var clientAddress: SocketAddress { origin.clientAddress }

  /// Whether the client sent the request by TLS, to this server or to a trusted proxy.
  public var isSecure: Bool { origin.isSecure }

  /// Whether the page that sends the request may open a WebSocket here.
  public func isAllowed(by policy: OriginPolicy) -> Bool {
    policy.allows(head.fields, isSecure: isSecure, host: origin.host)
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
  ///   - fields: further header fields of the 101 response. Those of the handshake itself (`Upgrade`, `Connection`,
  ///     `Sec-WebSocket-…`) and of bodies are the server's: the client gets 500 where one of them is here.
  ///   - attachment: the connection's first ``WebSocketConnection/attachment``.
  public func upgrade(
    to handler: WebSocketHandler, subprotocol: String? = nil, options: WebSocketOptions = WebSocketOptions(),
    fields: HTTPFields = HTTPFields(), attachment: AnyObject? = nil
  ) {
    if let name = OpeningHandshake.reservedField(in: fields) {
      return respond(.text(.internalServerError, "The server must not set the field \(name).\n"))
    }
    switch OpeningHandshake.serverCheck(head) {
    case .upgrade(let key):
      guard let registry = connection?.registry else { return }
      let accepted = options.compression.flatMap { DeflateNegotiation.accept(head.fields, $0) }
      registry.response.removeAll()
      do {
        try OpeningHandshake.encodeResponse(
          key: key, subprotocol: subprotocol, extensions: accepted?.response, fields: fields,
          into: &registry.response)
      } catch {
        return respond(.text(.internalServerError, "The response had an invalid field.\n"))
      }
      take()?.upgrade(
        to: handler, options: options, compression: accepted?.agreement, attachment: attachment)
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

  /// Calls `body` once, on the loop, if the client goes away before it has been answered. One that asks for a WebSocket
  /// has gone when it ends its side, too: it could not say anything.
  func whenClientGoes(_ body: @escaping () -> Void) {
    var countsEnd = false
    if case .upgrade = OpeningHandshake.serverCheck(head) { countsEnd = true }
    connection?.watchClient(countsEnd: countsEnd, body)
  }

  /// Calls `body` once, on the loop, if the server shuts down before the request has been answered: who would have waited for
  /// news answers then, or is cut when the server's patience ends.
  public func whenServerEnds(_ body: @escaping () -> Void) { connection?.watchServer(body) }

  func countAuthenticationTimeout() {
    connection?.registry.counters.authenticationTimeouts.count()
  }

  func take() -> HTTPServerConnection? {
    defer { connection = nil }
    return connection
  }
}
