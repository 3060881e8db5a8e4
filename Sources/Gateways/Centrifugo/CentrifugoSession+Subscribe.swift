import Bytes
import Realtime

extension CentrifugoSession {
  func subscribe(_ id: UInt32, _ request: CentrifugoCommand.SubscribeRequest) {
    guard request.delta.isEmpty || request.delta == "fossil" else { return close(.badRequest) }
    guard let wanted = request.options else { return reply(id, .badRequest) }
    guard request.token.isEmpty else { return subscribeByToken(id, request, wanted) }
    guard !hub.isSubscribed(self, to: request.channel) else { return reply(id, .alreadySubscribed) }
    let question = SessionSubscribeRequest(channel: request.channel, data: request.data)
    let isTaken = ask(for: id) {
      options.backend.subscribe(question, of: $0, done: $1)
    } then: { [self] answer in
      subscribe(id, to: request.channel, wanted, as: answer)
    }
    if !isTaken { begin(id, request.channel, wanted) }
  }

  /// As the backend allows it.
  private func subscribe(
    _ id: UInt32, to channel: String, _ wanted: SubscribeOptions,
    as answer: SessionSubscribeAnswer
  ) {
    guard !isPast(answer.expiresAt) else {
      reply(id, .expired)
      return finish()
    }
    var options = wanted
    options.isGranted = true
    options.channelInfo = answer.info
    options.overrides = answer.overrides
    options.allowances = answer.allowances
    var time = SubscriptionTime(end: answer.expiresAt)
    time.isRefreshedByBackend = self.options.backend.refreshesSubscriptions(to: channel)
    begin(id, channel, options, time, data: answer.data)
  }

  /// As a token allows it.
  private func subscribeByToken(
    _ id: UInt32, _ request: CentrifugoCommand.SubscribeRequest, _ wanted: SubscribeOptions
  ) {
    switch grant(of: request.token, for: request.channel) {
    case .failure(.error(let error)): return reply(id, error)
    case .failure(.disconnect(let disconnect)): return close(disconnect)
    case .success(let claims):
      guard !isPast(claims.endOfUse) else { return reply(id, .expired) }
      var options = wanted
      options.isGranted = true
      options.channelInfo = claims.info.map { SharedBytes.make(copying: $0) }
      options.allowances = claims.allowances
      options.overrides = claims.overrides
      begin(id, request.channel, options, SubscriptionTime(end: claims.endOfUse))
    }
  }

  private func begin(
    _ id: UInt32, _ channel: String, _ options: SubscribeOptions,
    _ time: SubscriptionTime = SubscriptionTime(), data: SharedBytes? = nil
  ) {
    begin()
    hub.subscribe(self, to: channel, options: options) { [self] result in
      if case .success = result, time.end != nil {
        setTime(of: channel, time)
        setTimer()
      }
      let end = time.isRefreshedByBackend ? nil : time.end
      answer(id, result) {
        .subscribe(
          CentrifugoReply.SubscriptionResult(
            result: $0, secondsLeft: secondsLeft(until: end), data: data, consumer: options.consumerName))
      }
    }
  }

  /// What a subscription token grants. One of another user or for another channel is not a mistake that an honest
  /// client makes: it ends the connection, as in Centrifugo.
  private func grant(
    of token: String, for channel: String
  ) -> Result<TokenClaims, SessionRefusal> {
    do {
      let claims = try options.verifier.verify(token, now: options.now())
      guard claims.user == user, claims.channel == channel else {
        note(.invalid, of: token, in: "subscribe", user: user)
        return .failure(.disconnect(.invalidToken))
      }
      return .success(claims)
    } catch .expired {
      return .failure(.error(.tokenExpired))
    } catch .unknownKey {
      return .failure(.error(.internalError))
    } catch {
      note(error, of: token, in: "subscribe", user: user)
      return .failure(.error(.permissionDenied))
    }
  }

  /// A fresh token for a subscription.
  func refreshSubscription(_ id: UInt32, _ channel: String, _ token: String) {
    guard hub.isSubscribed(self, to: channel) else { return reply(id, .permissionDenied) }
    if extras?.subscriptionTimes[channel]?.isRefreshedByBackend == true { return close(.badRequest) }
    guard !token.isEmpty else { return reply(id, .badRequest) }
    switch grant(of: token, for: channel) {
    case .failure(.error(.permissionDenied)), .failure(.disconnect): close(.invalidToken)
    case .failure(.error(let error)): reply(id, error)
    case .success(let claims):
      guard !isPast(claims.endOfUse) else { return reply(id, .expired) }
      if let info = claims.info {
        hub.describe(self, in: channel, channelInfo: SharedBytes.make(copying: info))
      }
      let isServerSide = extras?.subscriptionTimes[channel]?.isServerSide ?? false
      setTime(
        of: channel, claims.endOfUse.map { SubscriptionTime(end: $0, isServerSide: isServerSide) })
      setTimer()
      reply(id, .subscriptionRefresh(secondsLeft: secondsLeft(until: claims.endOfUse)))
    }
  }
}

extension CentrifugoCommand.SubscribeRequest {
  /// What the client asks for; nil if its filter is none.
  var options: SubscribeOptions? {
    var options = SubscribeOptions()
    if let filter {
      guard let compiled = TagsFilter(filter) else { return nil }
      options.filter = compiled
    }
    options.wantsDelta = !delta.isEmpty
    options.wantsPosition = wantsPosition
    options.recoverSince = position
    options.requiresRecovery = requiresRecovery
    options.wantsRecovery = wantsRecovery || position != nil
    options.wantsJoinLeave = wantsJoinLeave
    options.consumerName = consumer
    return options
  }
}
