import Bytes
import Realtime

extension CentrifugoSession {
  /// The most bytes of a user name that a connect command's data may claim.
  private static let maximumClaimedUserBytes = 64

  func connect(_ id: UInt32, _ request: CentrifugoCommand.ConnectRequest) {
    guard !isConnected else { return close(.badRequest) }
    if client.isEmpty { info = ClientInfo(client: options.makeClientID(), user: "") }
    keep(request.headers)
    guard request.token.isEmpty else { return connectByToken(id, request) }
    var question = SessionConnectRequest()
    question.data = request.data
    question.name = request.name
    question.version = request.version
    question.channels = request.channels
    let isTaken = ask(for: id) {
      options.backend.connect(question, of: $0, done: $1)
    } then: { [self] answer in
      admit(id, Admission(answer, isRefreshedByBackend: options.backend.refreshesSessions), request.positions)
    }
    if !isTaken { connectByToken(id, request) }
  }

  private func connectByToken(_ id: UInt32, _ request: CentrifugoCommand.ConnectRequest) {
    do {
      let claims = try identify(request)
      begin()
      tokenChannels = claims.allChannels
      var admission = Admission(claims)
      if honoursWishes { admission.wishes = request.channels.filter { !tokenChannels.contains($0) } }
      admit(id, admission, request.positions)
    } catch .expired {
      // The client renews its token and comes again.
      reply(id, .tokenExpired)
    } catch .unknownKey {
      // Keys are being fetched: the client comes again in a moment.
      reply(id, .internalError)
    } catch {
      note(error, of: request.token, in: "connect", user: "")
      close(.invalidToken)
    }
  }

  /// The client may come in.
  private func admit(_ id: UInt32, _ admission: Admission, _ positions: [String: StreamPosition]) {
    guard !isPast(admission.end) else {
      reply(id, .expired)
      return finish()
    }
    if let revocations = options.verifier.revocations,
      revocations.blocks(user: admission.user, now: options.now())
    {
      return close(.invalidToken)
    }
    guard admission.subscriptions.count <= hub.limits.maximumChannelsPerClient else {
      return close(.channelLimit)
    }
    expiresAt = admission.end
    isRefreshedByBackend = admission.isRefreshedByBackend
    meta = admission.meta
    enter(as: ClientInfo(client: client, user: admission.user, connectionInfo: admission.info), admission)
    options.webhooks?.tell(.connected(info))
    noteConnected()
    holdBackPushes()
    subscribe(toAll: admission, positions) { [self] subscriptions in
      replyConnected(id, admission, subscriptions)
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
    let claims = try options.verifier.verify(token, now: options.now())
    guard claims.channel == nil else { throw .invalid }
    return claims
  }

  /// Subscribes to the channels that the token or the backend names, and to those that the client wishes for and may
  /// subscribe to; `done` gets those that could be.
  private func subscribe(
    toAll admission: Admission, _ positions: [String: StreamPosition],
    _ done: @escaping ([Subscribed]) -> Void
  ) {
    let wishes = admission.wishes.map { (channel: $0, answer: SessionSubscribeAnswer(), isGranted: false) }
    let all =
      admission.subscriptions.map { (channel: $0.channel, answer: $0.answer, isGranted: true) } + wishes
    var missing = all.count
    var subscriptions: [Subscribed] = []
    guard missing > 0 else { return done([]) }
    for (channel, answer, isGranted) in all {
      var options = SubscribeOptions()
      options.isGranted = isGranted
      options.isServerSide = true
      options.wantsRecovery = isGranted || positions[channel] != nil
      options.recoverSince = positions[channel]
      options.channelInfo = answer.info
      options.overrides = answer.overrides
      hub.subscribe(self, to: channel, options: options) { [self] result in
        if case .success(let result) = result {
          subscriptions.append(
            (channel, CentrifugoReply.SubscriptionResult(result: result, data: answer.data)))
          keepTime(of: answer, channel)
        }
        missing -= 1
        if missing == 0 { done(subscriptions) }
      }
    }
  }

  private func keepTime(of answer: SessionSubscribeAnswer, _ channel: String) {
    guard let end = answer.expiresAt else { return }
    setTime(
      of: channel,
      SubscriptionTime(
        end: end, isServerSide: true,
        isRefreshedByBackend: options.backend.refreshesSubscriptions(to: channel)))
  }

  private typealias Subscribed = (channel: String, result: CentrifugoReply.SubscriptionResult)

  private func replyConnected(_ id: UInt32, _ admission: Admission, _ subscriptions: [Subscribed]) {
    var result = CentrifugoReply.ConnectResult(client: client, version: options.version)
    result.secondsLeft = isRefreshedByBackend ? nil : secondsLeft(until: expiresAt)
    result.data = admission.data
    result.pingSeconds = (options.pingIntervalMilliseconds + 999) / 1_000
    result.emulation = emulation
    result.subscriptions = subscriptions
    reply(id, .connect(result))
  }

  /// A fresh token for the connection; it must be of the same user.
  func refresh(_ id: UInt32, _ token: String) {
    guard !isRefreshedByBackend else { return close(.badRequest) }
    do {
      let claims = try verify(token)
      guard claims.user == user else {
        note(.invalid, of: token, in: "refresh", user: user)
        return close(.invalidToken)
      }
      guard !isPast(claims.endOfUse) else { return reply(id, .expired) }
      // The client comes back with this token, and has its channels then.
      guard tokenChannels == claims.allChannels else { return close(.insufficientState) }
      capabilities = Capabilities(claims.capabilities)
      self.token = TokenOrigin(identifier: claims.identifier ?? "", issuedAt: claims.issuedAt ?? 0)
      extend(until: claims.endOfUse)
      reply(
        id,
        .refresh(
          client: client, version: options.version, secondsLeft: secondsLeft(until: expiresAt)))
    } catch .expired {
      close(.expired)
    } catch .unknownKey {
      reply(id, .internalError)
    } catch {
      note(error, of: token, in: "refresh", user: user)
      close(.invalidToken)
    }
  }
}
