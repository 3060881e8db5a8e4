/// Publishing.
extension Hub {
  /// Publishes to a channel. `done` gets the place in the channel's stream, or a place without epoch and with
  /// offset 0 when the publication was not kept; for a repeat, the place of the first one.
  ///
  /// Errors: `.badRequest` (name or key too long), `.unknownChannel`, `.permissionDenied` (clients),
  /// `.limitExceeded` (bytes of the message, channels of the loop).
  public func publish(
    _ request: PublishRequest, to channel: String, as authority: Authority,
    done: ((Result<StreamPosition, HubError>) -> Void)? = nil
  ) {
    here.publish(request, to: channel, as: authority, done)
  }

  /// Publishes the same to many channels, as the server. `done` gets one result a channel, in the order of
  /// `channels`.
  public func broadcast(
    _ request: PublishRequest, to channels: [String],
    done: @escaping ([Result<StreamPosition, HubError>]) -> Void
  ) {
    let gathering = Gathering<Result<StreamPosition, HubError>>(count: channels.count, done: done)
    let shard = here
    for (index, channel) in channels.enumerated() {
      shard.publish(request, to: channel, as: .server) { gathering.take($0, at: index) }
    }
  }
}

extension Shard {
  func publish(
    _ request: PublishRequest, to text: String, as authority: Authority,
    _ done: ((Result<StreamPosition, HubError>) -> Void)?
  ) {
    let namespace: Namespace
    switch admit(text, .publish, authority, request) {
    case .success(let found): namespace = found
    case .failure(let error): return refuse(error, done ?? { _ in })
    }
    let info = info(of: authority, in: text)
    guard let done else {
      return post(
        to: hub.owner(of: text), .work { _ = $0.publish(request, to: text, namespace, info: info) })
    }
    let ticket = keep { reply in
      if case .position(let result) = reply { done(result) }
      return true
    }
    post(
      to: hub.owner(of: text),
      .work { [index] owner in
        owner.answer(index, ticket, .position(owner.publish(request, to: text, namespace, info: info)))
      })
  }

  private func admit(
    _ text: String, _ action: Permissions.Action, _ authority: Authority, _ request: PublishRequest
  ) -> Result<Namespace, HubError> {
    admit(text, action, authority).flatMap { namespace in
      guard request.byteCount <= namespace.options.maximumMessageBytes else {
        return .failure(.limitExceeded)
      }
      let keyBytes = max(request.idempotencyKey.utf8.count, request.versionEpoch.utf8.count)
      return keyBytes <= PublishRequest.maximumKeyBytes ? .success(namespace) : .failure(.badRequest)
    }
  }

  /// Checks name, namespace and permission of an operation on a channel.
  func admit(
    _ text: String, _ action: Permissions.Action, _ authority: Authority
  ) -> Result<Namespace, HubError> {
    guard let name = ChannelName(text) else { return .failure(.badRequest) }
    guard let namespace = namespaces.namespace(for: name) else { return .failure(.unknownChannel) }
    guard let subscriber = authority.subscriber else { return .success(namespace) }
    guard subscriber.isOpen else { return .failure(.closed) }
    if case .permitted = authority { return .success(namespace) }
    guard namespace.options.keeps(what: action) else { return .failure(.notAvailable) }
    let subscription = subscription(of: subscriber, in: text)
    let caller = Permissions.Caller(
      user: subscriber.user, isGranted: subscription?.isGranted ?? false,
      isSubscribed: subscription?.isActive ?? false,
      allowances: subscriber.allowances(in: text).union(subscription?.allowances ?? []))
    let refusal = Permissions.refusal(of: action, in: name, options: namespace.options, caller: caller)
    return refusal.map { .failure($0) } ?? .success(namespace)
  }

  private func info(of authority: Authority, in channel: String) -> ClientInfo? {
    guard let subscriber = authority.subscriber else { return nil }
    return subscription(of: subscriber, in: channel)?.info ?? subscriber.info
  }

  /// Counts a refusal and says it, not before the call that is being made now has ended.
  func refuse<Value>(_ error: HubError, _ done: @escaping (Result<Value, HubError>) -> Void) {
    count(refusal: error)
    call { done(.failure(error)) }
  }
}

extension NamespaceOptions {
  /// Whether there is something to read: what is not kept is not available, whoever may read it.
  fileprivate func keeps(what action: Permissions.Action) -> Bool {
    switch action {
    case .readHistory: keepsHistory
    case .readPresence: keepsPresence
    case .subscribe, .publish: true
    }
  }
}
