import Realtime

extension CentrifugoSession {
  func perform(_ command: CentrifugoCommand) {
    let id = command.id
    if case .connect(let request)? = command.request {
      return id == 0 ? close(.badRequest) : connect(id, request)
    }
    guard isConnected else {
      // Clients send what they want to subscribe to along with the connect command.
      return wasRefused ? () : close(.badRequest)
    }
    guard let request = command.request else {
      return id == 0 ? receivedPong() : reply(id, .methodNotFound)
    }
    if case .acknowledge(let channel, let offset) = request, !request.isIncomplete {
      return acknowledge(id, channel, upTo: offset)
    }
    guard isWithinRate(request, id) else { return }
    if case .send(let data) = request { return options.backend.receive(data, from: caller) }
    guard id > 0, !request.isIncomplete else { return close(.badRequest) }
    perform(request, id)
  }

  private func perform(_ request: CentrifugoCommand.Request, _ id: UInt32) {
    switch request {
    case .connect, .send, .acknowledge: break
    case .ping: reply(id, .ping)
    case .rpc(let request): call(id, request)
    case .subscribe(let request): subscribe(id, request)
    case .unsubscribe(let channel):
      extras?.subscriptionTimes[channel] = nil
      hub.unsubscribe(self, from: channel)
      reply(id, .unsubscribe)
    case .publish(let channel, let data):
      guard let data else { return close(.badRequest) }
      publish(id, SessionPublishRequest(channel: channel, data: data))
    case .presence(let channel):
      begin()
      hub.presence(of: channel, as: .client(self)) { self.answer(id, $0) { .presence($0) } }
    case .presenceStats(let channel):
      begin()
      hub.presenceStats(of: channel, as: .client(self)) { self.answer(id, $0) { .presenceStats($0) } }
    case .history(let channel, let query):
      begin()
      hub.history(of: channel, query, as: .client(self)) { self.answer(id, $0) { .history($0) } }
    case .refresh(let token): refresh(id, token)
    case .subscriptionRefresh(let channel, let token): refreshSubscription(id, channel, token)
    }
  }

  /// A reply comes only to a command with a number. One for a channel that has just ended is no mistake of the client. There
  /// are no more that say something new than publications were sent, so only the others count for the rate.
  private func acknowledge(_ id: UInt32, _ channel: String, upTo offset: UInt64) {
    let count = hub.acknowledge(self, in: channel, upTo: offset)
    let request = CentrifugoCommand.Request.acknowledge(channel: channel, offset: offset)
    guard (count ?? 0) > 0 || isWithinRate(request, id) else { return }
    if id == 0 {
      if count == nil { counters.count(CommandError.notAvailable) }
    } else if count != nil {
      reply(id, .acknowledge)
    } else {
      reply(id, .notAvailable)
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
