import HTTPCore
import JSON
import WebSockets

extension HTTPTransports {
  /// Hands commands to the session that they are for: 204, or 404 for one that is not here.
  func emulate(_ exchange: HTTPExchange, _ fields: HTTPFields) {
    let encoding = self.encoding(of: exchange)
    guard let request = EmulationRequest(exchange.body, encoding) else {
      return refuse(exchange, fields, .text(.badRequest, "This is not {session, node, data}.\n"))
    }
    guard request.node == options.node else {
      return unknown(WaitingPoll(exchange: exchange, fields: fields))
    }
    let answer = WaitingPoll(exchange: exchange, fields: fields)
    directory.find(request.session) { [self] session in
      if let session, session.encoding != encoding {
        options.counters.requestsRefused.count()
        return answer.answer(.text(.badRequest, "The session speaks \(session.encoding.rawValue).\n"))
      }
      guard let session, session.received(request.data) else { return unknown(answer) }
      answer.answer(HTTPResponse(status: .noContent))
    }
  }

  /// Takes a poll of a session, or opens one.
  func poll(_ exchange: HTTPExchange, _ fields: HTTPFields) {
    let parsed = exchange.body.withUnsafeBytes { text in
      Result { () throws(JSONError) in try PollRequest(text) }
    }
    guard case .success(let request) = parsed else {
      return refuse(exchange, fields, .text(.badRequest, "This is not {session, ack, wait, data}.\n"))
    }
    let waiting = WaitingPoll(exchange: exchange, fields: noStore(fields))
    guard !request.session.isEmpty else { return openPoll(request, waiting) }
    watch(exchange, request.session)
    directory.find(request.session) { [self] session in
      guard let session = session as? PollSession else { return unknown(waiting) }
      if session.received(request, waiting) { return }
      options.counters.requestsRefused.count()
      waiting.answer(.text(.badRequest, "Nothing of that number was sent.\n"))
    }
  }

  private func openPoll(_ request: PollRequest, _ waiting: WaitingPoll) {
    let loop = waiting.exchange.loop
    let shelf = directory.shelf(of: loop)
    guard shelf.pollCount < options.maximumPollSessionsPerLoop else {
      options.counters.pollSessionsRefused.count()
      var response = HTTPResponse.text(
        .serviceUnavailable, "There are as many sessions as the server takes.\n")
      response.fields.append("Retry-After", "5")
      return waiting.answer(response)
    }
    guard request.ack == 0, !request.data.isEmpty else {
      return refuse(waiting.exchange, waiting.fields, .text(.badRequest, "The connect command is missing.\n"))
    }
    let output = PollSession(
      id: directory.identifier(on: loop, sessions.makeClientID()), loop: loop, shelf: shelf,
      options: options, counters: options.counters)
    watch(waiting.exchange, output.id)
    // Polls say themselves that the client is there, and their answers that the server is.
    output.begin(makeSession(waiting.exchange, output, emulated: output, pings: false))
    _ = output.received(request, waiting)
  }

  /// A request that waits is told when the server shuts down.
  private func watch(_ exchange: HTTPExchange, _ id: String) {
    exchange.whenServerEnds { [directory] in
      directory.find(id) { ($0 as? PollSession)?.serverEnds() }
    }
  }

  func unknown(_ answer: WaitingPoll) {
    options.counters.unknownSessions.count()
    answer.answer(.text(.notFound, "There is no such session here.\n"))
  }

  private func noStore(_ fields: HTTPFields) -> HTTPFields {
    var fields = fields
    fields.append("Cache-Control", "no-store")
    return fields
  }
}
