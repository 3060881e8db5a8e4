import EventLoops
import HTTPCore
import WebSocketCore

extension HTTPExchange {
  /// Completes the opening handshake and runs the body as a task on the connection's loop. When it returns the
  /// connection is closed with 1000, when it throws with 1011.
  ///
  /// - Parameters:
  ///   - subprotocol: the subprotocol chosen from those that the client offered.
  ///   - options: limits and deadlines.
  ///   - fields: further header fields of the 101 response.
  ///   - attachment: the socket's ``WebSocket/attachment``.
  ///   - body: serves the WebSocket.
  public func accept(
    subprotocol: String? = nil, options: WebSocketOptions = WebSocketOptions(),
    fields: HTTPFields = HTTPFields(), attachment: (any AnyObject & Sendable)? = nil,
    _ body: @escaping WebSocketBody
  ) {
    let inbox = WebSocketInbox(highWatermark: options.limits.maximumMessageBytes)
    inbox.whenOpened = { connection, inbox in
      connection.subprotocol = subprotocol
      let socket = WebSocket(connection: connection, inbox: inbox, attachment: attachment)
      let actor = LoopActor.of(connection.loop)
      Task(executorPreference: connection.loop) { await Self.run(body, socket, isolation: actor) }
    }
    upgrade(to: inbox, subprotocol: subprotocol, options: options, fields: fields, attachment: attachment)
  }

  private static func run(
    _ body: WebSocketBody, _ socket: WebSocket,
    isolation actor: isolated LoopActor
  ) async {
    socket.inbox.beginServing()
    let code: CloseCode
    do {
      try await body(socket)
      code = .normal
    } catch {
      code = .internalError
    }
    socket.inbox.endServing()
    await socket.close(code: code)
  }
}
