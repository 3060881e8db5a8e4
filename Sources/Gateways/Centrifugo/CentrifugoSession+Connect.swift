import Bytes
import JSON
import Realtime

extension CentrifugoSession {
  /// The most bytes of a user name that a connect command's data may claim.
  private static let maximumClaimedUserBytes = 64

  func connect(_ id: UInt32, _ request: CentrifugoCommand.ConnectRequest) {
    guard client == nil else { return close(.badRequest) }
    let claims: TokenClaims
    do {
      claims = try identify(request)
    } catch .expired {
      // The client renews its token and comes again.
      return reply(id, .tokenExpired)
    } catch {
      return close(.invalidToken)
    }
    let info = ClientInfo(
      client: options.makeClientID(), user: claims.user,
      connectionInfo: claims.info.map { SharedBytes.make(copying: $0) })
    let client = CentrifugoClient(session: self, info: info)
    self.client = client
    expiresAt = claims.endOfUse
    hub.add(client)
    begin()
    holdBackPushes()
    subscribe(client, toAll: claims.channels, request.positions) { [self] subscriptions in
      replyConnected(id, info, subscriptions)
      releasePushes()
      startHeartbeat()
      finish()
    }
  }

  private func identify(_ request: CentrifugoCommand.ConnectRequest) throws(TokenError) -> TokenClaims {
    guard request.token.isEmpty else { return try verify(request.token) }
    guard options.allowsAnonymous else { throw .invalid }
    var claims = TokenClaims()
    if options.takesUserFromConnectData, let user = request.userOfData {
      let isAcceptable =
        user.utf8.count <= Self.maximumClaimedUserBytes && user.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      guard isAcceptable else { throw .invalid }
      claims.user = user
    }
    return claims
  }

  /// A connection's token; one that names a channel is good for subscribing only, as in Centrifugo.
  private func verify(_ token: String) throws(TokenError) -> TokenClaims {
    let claims = try options.tokens.verify(token, now: options.now())
    guard claims.channel == nil else { throw .invalid }
    return claims
  }

  /// Subscribes to the channels that the token names; `done` gets those that could be.
  private func subscribe(
    _ client: CentrifugoClient, toAll channels: [String], _ positions: [String: StreamPosition],
    _ done: @escaping ([(channel: String, result: SubscribeResult)]) -> Void
  ) {
    var missing = channels.count
    var subscriptions: [(channel: String, result: SubscribeResult)] = []
    guard missing > 0 else { return done([]) }
    for channel in channels {
      var options = SubscribeOptions()
      options.isGranted = true
      options.wantsRecovery = true
      options.recoverSince = positions[channel]
      hub.subscribe(client, to: channel, options: options) { result in
        if case .success(let result) = result { subscriptions.append((channel, result)) }
        missing -= 1
        if missing == 0 { done(subscriptions) }
      }
    }
  }

  private func replyConnected(
    _ id: UInt32, _ info: ClientInfo, _ subscriptions: [(channel: String, result: SubscribeResult)]
  ) {
    reply(
      ReplyEncoder.result(id, "connect") { json in
        json.member("client", info.client)
        json.member("version", options.version)
        if let secondsLeft = secondsLeft(until: expiresAt) { json.expiry(secondsLeft) }
        if options.pingIntervalMilliseconds > 0 {
          json.member("ping", (options.pingIntervalMilliseconds + 999) / 1_000)
          json.key("pong")
          json.bool(true)
        }
        guard !subscriptions.isEmpty else { return }
        json.key("subs")
        json.beginObject()
        for (channel, result) in subscriptions {
          json.key(channel)
          json.beginObject()
          json.members(of: result, secondsLeft: nil)
          json.endObject()
        }
        json.endObject()
      })
  }

  /// A fresh token for the connection; it must be of the same user.
  func refresh(_ id: UInt32, _ token: String, _ client: CentrifugoClient) {
    do {
      let claims = try verify(token)
      guard claims.user == client.info.user else { return close(.invalidToken) }
      extend(until: claims.endOfUse)
      reply(
        ReplyEncoder.result(id, "refresh") { json in
          json.member("client", client.info.client)
          json.member("version", options.version)
          if let secondsLeft = secondsLeft(until: expiresAt) { json.expiry(secondsLeft) }
        })
    } catch .expired {
      reply(id, .tokenExpired)
    } catch {
      close(.invalidToken)
    }
  }
}
