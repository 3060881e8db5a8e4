import Realtime

extension CentrifugoSession {
  func perform(_ command: CentrifugoCommand) {
    let id = command.id
    if case .connect(let request)? = command.request {
      return id == 0 ? close(.badRequest) : connect(id, request)
    }
    guard let client else {
      // Clients send what they want to subscribe to along with the connect command.
      return wasRefused ? () : close(.badRequest)
    }
    guard let request = command.request else {
      return id == 0 ? receivedPong() : reply(id, .methodNotFound)
    }
    guard isWithinRate(request, id, client) else { return }
    if case .send(let data) = request { return options.backend.receive(data, from: caller) }
    guard id > 0, !request.isIncomplete else { return close(.badRequest) }
    perform(request, id, client)
  }

  private func perform(_ request: CentrifugoCommand.Request, _ id: UInt32, _ client: CentrifugoClient) {
    switch request {
    case .connect, .send: break
    case .ping: reply(id, .ping)
    case .rpc(let request): call(id, request)
    case .subscribe(let request): subscribe(id, request, client)
    case .unsubscribe(let channel):
      subscriptionTimes[channel] = nil
      hub.unsubscribe(client, from: channel)
      reply(id, .unsubscribe)
    case .publish(let channel, let data):
      guard let data else { return close(.badRequest) }
      publish(id, SessionPublishRequest(channel: channel, data: data), client)
    case .presence(let channel):
      begin()
      hub.presence(of: channel, as: .client(client)) { self.answer(id, $0) { .presence($0) } }
    case .presenceStats(let channel):
      begin()
      hub.presenceStats(of: channel, as: .client(client)) { self.answer(id, $0) { .presenceStats($0) } }
    case .history(let channel, let query):
      begin()
      hub.history(of: channel, query, as: .client(client)) { self.answer(id, $0) { .history($0) } }
    case .refresh(let token): refresh(id, token, client)
    case .subscriptionRefresh(let channel, let token): refreshSubscription(id, channel, token, client)
    }
  }

  /// Answers the command under way, and goes on with those behind it.
  func answer<Value>(
    _ id: UInt32, _ result: Result<Value, HubError>, _ spell: (Value) -> CentrifugoReply
  ) {
    switch result {
    case .success(let value): reply(id, spell(value))
    case .failure(let error): reply(id, CommandError(error))
    }
    finish()
  }
}
