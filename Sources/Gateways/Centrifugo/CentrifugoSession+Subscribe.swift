import Bytes
import Realtime

extension CentrifugoSession {
  func subscribe(_ id: UInt32, _ request: CentrifugoCommand.SubscribeRequest, _ client: CentrifugoClient) {
    var options = SubscribeOptions()
    options.recoverSince = request.position
    options.requiresRecovery = request.requiresRecovery
    options.wantsRecovery = request.wantsRecovery || request.position != nil
    options.wantsJoinLeave = request.wantsJoinLeave
    var end: UInt64?
    if !request.token.isEmpty {
      switch grant(of: request.token, for: request.channel, client) {
      case .failure(let error): return reply(id, error)
      case .success(let claims):
        options.isGranted = true
        options.channelInfo = claims.info.map { SharedBytes.make(copying: $0) }
        end = claims.endOfUse
      }
    }
    begin()
    hub.subscribe(client, to: request.channel, options: options) { [self] result in
      if case .success = result, let end {
        subscriptionEnds[request.channel] = end
        setTimer()
      }
      answer(id, "subscribe", result) { $0.members(of: $1, secondsLeft: secondsLeft(until: end)) }
    }
  }

  /// What a subscription token grants: it must be of this client's user and for this channel.
  private func grant(
    of token: String, for channel: String, _ client: CentrifugoClient
  ) -> Result<TokenClaims, CommandError> {
    do {
      let claims = try options.tokens.verify(token, now: options.now())
      guard claims.user == client.info.user, claims.channel == channel, !channel.isEmpty else {
        return .failure(.permissionDenied)
      }
      return .success(claims)
    } catch .expired {
      return .failure(.tokenExpired)
    } catch {
      return .failure(.permissionDenied)
    }
  }

  /// A fresh token for a subscription.
  func refreshSubscription(_ id: UInt32, _ channel: String, _ token: String, _ client: CentrifugoClient) {
    guard hub.isSubscribed(client, to: channel) else { return reply(id, .permissionDenied) }
    switch grant(of: token, for: channel, client) {
    case .failure(let error):
      reply(id, error)
    case .success(let claims):
      subscriptionEnds[channel] = claims.endOfUse
      setTimer()
      reply(
        ReplyEncoder.result(id, "sub_refresh") { json in
          if let secondsLeft = secondsLeft(until: claims.endOfUse) { json.expiry(secondsLeft) }
        })
    }
  }
}
