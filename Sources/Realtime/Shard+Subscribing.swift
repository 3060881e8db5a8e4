import EventLoops

/// The home side of subscriptions.
extension Shard {
  func subscribe(
    _ subscriber: Subscriber, to text: String, _ wanted: SubscribeOptions,
    _ done: @escaping (Result<SubscribeResult, HubError>) -> Void
  ) {
    let options = completed(wanted, subscriber, text)
    let subscription: Subscription
    switch begin(subscriber, text, options) {
    case .success(let begun): subscription = begun
    case .failure(let error): return refuse(error, done)
    }
    let ticket = keep { [unowned self] reply in
      if case .subscribed(let result) = reply { began(subscription, result, done) }
      return true
    }
    let newcomer = subscription.newcomer
    let (name, namespace) = (subscription.channel.name, subscription.channel.namespace)
    post(
      to: subscription.channel.owner,
      .work { [index] owner in
        let accept = owner.accept(newcomer, to: name, namespace, options)
        owner.answer(index, ticket, .subscribed(accept))
        if case .success = accept { owner.announce(newcomer, in: name) }
      })
  }

  /// With what the client may do, where that matters.
  private func completed(
    _ wanted: SubscribeOptions, _ subscriber: Subscriber, _ text: String
  ) -> SubscribeOptions {
    guard wanted.wantsRecovery || wanted.wantsPosition, let name = ChannelName(text) else { return wanted }
    var options = wanted
    let caller = Permissions.Caller(
      user: subscriber.user, isGranted: options.isGranted, isSubscribed: true,
      allowances: subscriber.allowances(in: text).union(options.allowances))
    let namespace = namespaces.namespace(for: name)
    options.mayReadHistory =
      Permissions.refusal(of: .readHistory, in: name, options: namespace?.options, caller: caller) == nil
    return options
  }

  private func begin(
    _ subscriber: Subscriber, _ text: String, _ options: SubscribeOptions
  ) -> Result<Subscription, HubError> {
    guard subscriber.isOpen else { return .failure(.closed) }
    guard let name = ChannelName(text) else { return .failure(.badRequest) }
    let namespace = namespaces.namespace(for: name)
    let caller = Permissions.Caller(
      user: subscriber.user, isGranted: options.isGranted, allowances: subscriber.allowances(in: text))
    if let refusal = Permissions.refusal(
      of: .subscribe, in: name, options: namespace?.options, caller: caller)
    {
      return .failure(refusal)
    }
    guard let namespace else { return .failure(.unknownChannel) }
    guard subscription(of: subscriber, in: text) == nil else { return .failure(.alreadySubscribed) }
    if let refusal = Self.refusal(of: options, namespace.options, subscriber.user) {
      return .failure(refusal)
    }
    guard subscriber.subscriptions.count < limits.maximumChannelsPerClient else {
      return .failure(.limitExceeded)
    }
    let channel =
      heard[text]
      ?? HeardChannel(name: text, namespace: namespace, owner: hub.owner(of: text))
    if channel.holders == 0 { heard[text] = channel }
    channel.holders += 1
    lastSubscriptionNumber += 1
    let subscription = Subscription(
      id: SubscriptionID(loop: index, number: lastSubscriptionNumber), subscriber: subscriber,
      channel: channel, options: options)
    subscriber.subscriptions.insert(subscription)
    counters.subscriptions += 1
    return .success(subscription)
  }

  /// Whether the namespace has what is asked for.
  private static func refusal(
    of options: SubscribeOptions, _ rules: NamespaceOptions, _ user: String
  ) -> HubError? {
    if options.filter != nil, !rules.allowsTagsFilter { return .badRequest }
    guard let name = options.consumerName else { return nil }
    guard rules.allowsAcknowledgement, rules.keepsHistory else { return .notAvailable }
    guard !user.isEmpty else { return .permissionDenied }
    return (1...PublishRequest.maximumKeyBytes).contains(name.utf8.count) ? nil : .badRequest
  }

  /// The owner has answered. From here on this subscription gets what the owner sends.
  private func began(
    _ subscription: Subscription, _ result: Result<SubscribeResult, HubError>,
    _ done: (Result<SubscribeResult, HubError>) -> Void
  ) {
    if case .ended(let reason) = subscription.state { return done(.failure(reason)) }
    switch result {
    case .success(let begun):
      if !begun.position.epoch.isEmpty { subscription.channel.begin(at: begun.top) }
      subscription.selection?.begin(begun)
      subscription.channel.activate(subscription)
    case .failure(let error):
      count(refusal: error)
      end(subscription, because: error)
    }
    done(result)
  }

  /// Pending or active.
  func subscription(of subscriber: Subscriber, in channel: String) -> Subscription? {
    guard let entry = heard[channel] else { return nil }
    return subscriber.subscriptions.first { $0.channel === entry }
  }

  /// Takes effect here at once: nothing is delivered any more. The owner hears of it later.
  func end(_ subscription: Subscription, because reason: HubError) {
    let (subscriber, channel) = (subscription.subscriber, subscription.channel)
    switch subscription.state {
    case .ended: return
    case .pending: break
    case .active(let slot): channel.deactivate(slot: slot)
    }
    subscription.state = .ended(reason)
    counters.subscriptions -= 1
    channel.holders -= 1
    if channel.holders == 0 { heard[channel.name] = nil }
    subscriber.subscriptions.remove(subscription)
    let leaving = subscription.newcomer
    let name = channel.name
    post(to: channel.owner, .work { $0.leave(leaving, name) })
  }

  func deliver(_ item: FanOut) {
    guard let channel = heard[item.channel] else { return }
    guard channel.isCrowd else { return deliver(item, in: channel) }
    loop.forCrowd { deliver(item, in: channel) }
  }

  private func deliver(_ item: FanOut, in channel: HeardChannel) {
    let name = item.channel
    switch item.event {
    case .publication(let publication):
      if channel.pass(publication.offset) { endPositioned(in: channel) }
      counters.delivered &+= channel.deliver(
        item.frames, joinLeaveOnly: false, selectively: { self.deliver(publication, item, to: $0) }
      ) { subscriber, frame in
        subscriber.received(publication, frame: frame, on: name)
      }
    case .joined(let info):
      _ = channel.deliver(item.frames, joinLeaveOnly: true) { subscriber, frame in
        subscriber.joined(info, frame: frame, on: name)
      }
    case .left(let info):
      _ = channel.deliver(item.frames, joinLeaveOnly: true) { subscriber, frame in
        subscriber.left(info, frame: frame, on: name)
      }
    }
  }

  func count(refusal error: HubError) {
    if error == .limitExceeded { counters.limitRefusals &+= 1 }
    if error == .permissionDenied { counters.permissionRefusals &+= 1 }
  }
}
