import HTTPCore
import JSON
import WebSockets

extension HTTPTransports {
  static let tunnelPath = "/tunnel"

  /// `POST /tunnel/<path>` opens a WebSocket at `/<path>`, `POST /tunnel` carries its messages.
  func tunnel(_ exchange: HTTPExchange, _ fields: HTTPFields) {
    let parsed = exchange.body.withUnsafeBytes { text in
      Result { () throws(JSONError) in try TunnelRequest(text) }
    }
    guard case .success(let request) = parsed, request.protocols.allSatisfy({ !$0.contains(",") }) else {
      return refuse(exchange, fields, .text(.badRequest, "This is no request of a tunnel.\n"))
    }
    guard exchange.head.path == Self.tunnelPath else { return openTunnel(exchange, request, fields) }
    let answer = WaitingPoll(exchange: exchange, fields: fields)
    directory.findTunnel(request.session) { [self] session in
      guard let session else { return unknown(answer) }
      if session.received(request, answer) { return }
      options.counters.requestsRefused.count()
      answer.answer(.text(.badRequest, "This does not follow what came before.\n"))
    }
  }

  private func openTunnel(_ exchange: HTTPExchange, _ request: TunnelRequest, _ fields: HTTPFields) {
    let loop = exchange.loop
    let shelf = directory.shelf(of: loop)
    guard shelf.tunnels.count < options.maximumTunnelsPerLoop else {
      options.counters.tunnelsRefused.count()
      var response = HTTPResponse.text(
        .serviceUnavailable, "There are as many tunnels as the server takes.\n")
      response.fields.append("Retry-After", "5")
      return refuse(exchange, fields, response)
    }
    let session = TunnelSession(
      id: directory.identifier(on: loop, sessions.makeClientID()), loop: loop, shelf: shelf, options: options)
    var client = WebSocketClientOptions()
    client.subprotocols = request.protocols
    // What waits when a post is answered, and one more post.
    client.socket.maximumQueuedBytes = options.maximumQueuedBytes + (1 << 20)
    let target = exchange.head.target.dropFirst(Self.tunnelPath.count)
    exchange.openInside(
      target: String(target), fields: Self.passedOn(exchange.head.fields), options: client, handler: session
    ) { [self] result in
      switch result {
      case .success(let socket): opened(exchange, session, socket, request, fields)
      case .failure(let error):
        // A page at that address is no WebSocket.
        let status = error.status.flatMap { $0.code >= 400 ? $0 : nil } ?? .badGateway
        refuse(exchange, fields, .text(status, (error.responseBody ?? error.message) + "\n"))
      }
    }
  }

  private func opened(
    _ exchange: HTTPExchange, _ session: TunnelSession, _ socket: WebSocketConnection,
    _ request: TunnelRequest, _ fields: HTTPFields
  ) {
    var json = JSONWriter()
    json.beginObject()
    json.member("session", session.id)
    json.member("protocol", socket.subprotocol ?? "")
    if request.streams, request.resumes {
      json.key("resume")
      json.bool(true)
    }
    json.endObject()
    guard request.streams else {
      session.begin(socket, nil)
      return WaitingPoll(exchange: exchange, fields: fields).answer(.json(.ok, json.bytes))
    }
    guard let stream = stream(exchange, .lines, fields, to: TunnelEvents(session)) else {
      return socket.close(code: .goingAway)
    }
    session.begin(socket, stream, isResumable: request.resumes)
    stream.write(json.bytes + [UInt8(ascii: "\n")])
  }

  /// What the route may ask of the client: where it is, whose page it is, and who it says it is.
  private static func passedOn(_ fields: HTTPFields) -> HTTPFields {
    var passed = HTTPFields()
    for name in ["Host", "Origin", "Cookie", "Authorization", "User-Agent"] {
      for value in fields.values(of: name) { passed.append(name, value) }
    }
    return passed
  }
}
