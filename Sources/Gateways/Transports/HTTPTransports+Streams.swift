import HTTPCore
import JSON
import WebSockets

extension HTTPTransports {
  /// A session whose replies are the response, and whose further commands are posted to `/emulation`.
  /// Who asks in Protobuf is answered in Protobuf.
  func openStream(_ exchange: HTTPExchange, _ wanted: StreamFraming, _ fields: HTTPFields) {
    let framing = wanted == .lines && encoding(of: exchange) == .protobuf ? .delimited : wanted
    guard let commands = commands(of: exchange), !commands.isEmpty else {
      let lack = "The connect command is missing: cf_connect=…, or a body.\n"
      return refuse(exchange, fields, .text(.badRequest, lack))
    }
    let loop = exchange.loop
    let output = StreamSession(
      id: directory.identifier(on: loop, sessions.makeClientID()), loop: loop, framing: framing,
      shelf: directory.shelf(of: loop), counters: options.counters)
    guard let stream = stream(exchange, framing, fields, to: StreamEvents(output)) else { return }
    output.begin(makeSession(exchange, output, emulated: output), stream)
    _ = output.received(commands)
  }

  /// A stream of pushes for a client that says what it wants to hear, and no more.
  func listen(_ exchange: HTTPExchange, _ framing: StreamFraming, _ fields: HTTPFields) {
    guard let request = Self.listenerRequest(exchange) else {
      return refuse(exchange, fields, .text(.badRequest, "The connect request is not a JSON object.\n"))
    }
    let output = StreamSession(
      id: "", loop: exchange.loop, framing: framing, shelf: nil, counters: options.counters)
    guard let stream = stream(exchange, framing, fields, to: StreamEvents(output)) else { return }
    let listener = UnidirectionalOutput(output)
    let session = makeSession(exchange, listener)
    listener.session = session
    output.begin(session, stream)
    listener.begin(request)
  }

  /// What a client that only listens says in a body, or in the query; the token may be in `Authorization: Bearer`, too.
  static func listenerRequest(_ exchange: HTTPExchange) -> UnidirectionalRequest? {
    let body = exchange.body
    var request =
      try? body.isEmpty
      ? UnidirectionalRequest(query: exchange.head.query)
      : body.withUnsafeBytes { (text) throws(JSONError) in try UnidirectionalRequest(json: text) }
    let words = exchange.head.fields["Authorization"]?.split(separator: " ") ?? []
    if words.count == 2, words[0].lowercased() == "bearer" { request?.authorize(String(words[1])) }
    return request
  }

  private func commands(of exchange: HTTPExchange) -> [UInt8]? {
    if exchange.head.method == .post { return exchange.body }
    let items = exchange.head.query.map(PercentEncoding.queryItems) ?? []
    return items.first { $0.name == "cf_connect" }.map { Array($0.value.utf8) }
  }

  func stream(
    _ exchange: HTTPExchange, _ framing: StreamFraming, _ fields: HTTPFields, to events: HTTPStreamHandler
  ) -> HTTPResponseStream? {
    var fields = fields
    fields.append("Content-Type", framing.contentType)
    // Neither kept nor compressed on the way, and not collected by nginx before it is passed on.
    fields.append("Cache-Control", "no-store, no-transform")
    fields.append("X-Accel-Buffering", "no")
    return exchange.stream(
      fields: fields, maximumQueuedBytes: options.maximumQueuedBytes, to: events)
  }
}
