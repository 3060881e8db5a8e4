import Bytes
import Realtime

extension CentrifugoSession {
  /// The client as the backend is told of it.
  var caller: SessionCaller {
    var caller = SessionCaller(loop: loop, client: client, transport: transport, encoding: clientEncoding)
    caller.user = user
    caller.meta = meta
    caller.headers = headers
    return caller
  }

  /// Asks the backend on behalf of a command. The commands behind it wait for the answer; `then` goes on with what the
  /// backend allows, and sees to `finish`. False if the backend leaves the command alone.
  func ask<Value>(
    for id: UInt32,
    _ question: (SessionCaller, @escaping @Sendable (Result<Value, SessionRefusal>) -> Void) -> Bool,
    then: @escaping @Sendable (Value) -> Void
  ) -> Bool {
    begin()
    let isTaken = question(caller) { [self] result in
      guard !isClosed else { return }
      switch result {
      case .success(let answer): then(answer)
      case .failure(.disconnect(let disconnect)): close(disconnect)
      case .failure(.error(let error)):
        reply(id, error)
        finish()
      }
    }
    if !isTaken { cancelBegin() }
    return isTaken
  }

  /// A method of the application.
  func call(_ id: UInt32, _ request: SessionCallRequest) {
    let isTaken = ask(for: id) {
      options.backend.call(request, of: $0, done: $1)
    } then: { [self] answer in
      reply(id, .call(answer.data))
      finish()
    }
    if !isTaken { reply(id, .notAvailable) }
  }

  func publish(_ id: UInt32, _ request: SessionPublishRequest) {
    let isTaken = ask(for: id) {
      options.backend.publish(request, of: $0, done: $1)
    } then: { [self] answer in
      var publication = self.publication(of: answer.data ?? request.data)
      publication.skipsHistory = answer.skipsHistory
      publish(id, publication, to: request.channel, as: .permitted(self))
    }
    guard !isTaken else { return }
    begin()
    publish(id, publication(of: request.data), to: request.channel, as: .client(self))
  }

  private func publication(of data: SharedBytes) -> PublishRequest {
    var publication = PublishRequest(data: data)
    publication.isUnchecked = clientEncoding == .protobuf
    return publication
  }

  private func publish(
    _ id: UInt32, _ publication: PublishRequest, to channel: String, as authority: Authority
  ) {
    hub.publish(publication, to: channel, as: authority) { self.answer(id, $0) { _ in .publish } }
  }

  // MARK: Time

  /// Asks the backend for more time for the connection. Until it has answered, the connection lives on its grace.
  func askForRefresh() {
    isAskingForRefresh = true
    let isTaken = options.backend.refresh(of: caller) { [self] result in
      guard !isClosed else { return }
      isAskingForRefresh = false
      switch result {
      case .failure(.disconnect(let disconnect)): close(disconnect)
      case .failure(.error): close(.serverError)
      case .success(let answer):
        guard !answer.isExpired, !isPast(answer.expiresAt) else { return close(.expired) }
        if let meta = answer.meta { self.meta = meta }
        if isConnected, let info = answer.info { hub.describe(self, connectionInfo: info) }
        extend(until: answer.expiresAt)
      }
    }
    if !isTaken { close(.expired) }
  }

  /// Asks the backend for more time for a subscription.
  func askForRefresh(ofSubscriptionTo channel: String) {
    extras?.subscriptionTimes[channel]?.isAsking = true
    let isTaken = options.backend.refreshSubscription(to: channel, of: caller) { [self] result in
      guard !isClosed, extras?.subscriptionTimes[channel] != nil else { return }
      switch result {
      case .failure(.disconnect(let disconnect)): close(disconnect)
      case .failure(.error): endSubscription(channel)
      case .success(let answer):
        guard !answer.isExpired, !isPast(answer.expiresAt) else { return endSubscription(channel) }
        if isConnected, let info = answer.info { hub.describe(self, in: channel, channelInfo: info) }
        extras?.subscriptionTimes[channel]?.end = answer.expiresAt
        extras?.subscriptionTimes[channel]?.isAsking = false
        setTimer()
      }
    }
    if !isTaken { endSubscription(channel) }
  }
}
