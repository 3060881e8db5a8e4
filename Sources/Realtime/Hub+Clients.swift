import Bytes

/// Clients: coming, going, subscribing.
extension Hub {
  /// Makes a client known. On the subscriber's loop, once.
  public func add(_ subscriber: Subscriber) {
    shard(of: subscriber).add(subscriber)
  }

  /// Ends all that a client has: nothing is delivered to it from here on, and completions of its subscribes
  /// that are under way get `.closed`. On the subscriber's loop; a second call does nothing.
  public func remove(_ subscriber: Subscriber) {
    shard(of: subscriber).remove(subscriber)
  }

  /// Subscribes a client. `done` gets the result before the first live publication is delivered; the live
  /// publications follow `result.position` without gap or repeat. On the subscriber's loop.
  ///
  /// Errors: `.badRequest` (name), `.unknownChannel`, `.permissionDenied`, `.alreadySubscribed`,
  /// `.limitExceeded`, `.unrecoverablePosition` (with `requiresRecovery`), `.unsubscribed` or `.closed`
  /// (ended before it began).
  public func subscribe(
    _ subscriber: Subscriber, to channel: String, options: SubscribeOptions = SubscribeOptions(),
    done: @escaping (Result<SubscribeResult, HubError>) -> Void
  ) {
    shard(of: subscriber).subscribe(subscriber, to: channel, options, done)
  }

  /// Says something else of a client to others. Subscriptions that have begun go on showing what they began with. On
  /// the subscriber's loop.
  public func describe(_ subscriber: Subscriber, connectionInfo: SharedBytes?) {
    for subscription in subscriber.subscriptions { subscription.keepInfo() }
    subscriber.info = ClientInfo(subscriber.info, connectionInfo: connectionInfo, channelInfo: nil)
  }

  /// Says something else of a client to others in one channel: in presence, beside what it publishes, and when it leaves.
  /// Nothing where it has no subscription. On the subscriber's loop.
  public func describe(_ subscriber: Subscriber, in channel: String, channelInfo: SharedBytes) {
    let shard = shard(of: subscriber)
    guard let subscription = shard.subscription(of: subscriber, in: channel) else { return }
    subscription.describe(channelInfo)
    let (id, info) = (subscription.id, subscription.info)
    shard.post(to: subscription.channel.owner, .work { $0.owned[channel]?.describe(id, info) })
  }

  /// Ends a client's subscription, also one whose reply is still to come. Nothing is delivered after it
  /// returns. False when there was none. On the subscriber's loop.
  @discardableResult
  public func unsubscribe(_ subscriber: Subscriber, from channel: String) -> Bool {
    let shard = shard(of: subscriber)
    guard let subscription = shard.subscription(of: subscriber, in: channel) else { return false }
    shard.end(subscription, because: .unsubscribed)
    return true
  }

  /// Whether a client's subscription to a channel is in force. On the subscriber's loop.
  public func isSubscribed(_ subscriber: Subscriber, to channel: String) -> Bool {
    shard(of: subscriber).subscription(of: subscriber, in: channel)?.isActive ?? false
  }
}

extension Shard {
  func add(_ subscriber: Subscriber) {
    precondition(!subscriber.isOpen, "a subscriber is added once")
    precondition(
      hub.encodings.indices.contains(subscriber.encoding), "a subscriber uses one of the hub's encodings")
    subscriber.isOpen = true
    clients.insert(subscriber)
    counters.clients += 1
    let user = subscriber.user
    guard !user.isEmpty else { return }
    subscriber.userSlot = UInt32(truncatingIfNeeded: users[user]?.count ?? 0)
    users[user, default: []].append(subscriber)
    if subscriber.userSlot == 0 {
      post(to: hub.owner(of: user), .work { $0.userLoops[user, default: 0] += 1 })
    }
  }

  func remove(_ subscriber: Subscriber) {
    guard subscriber.isOpen else { return }
    subscriber.isOpen = false
    while let subscription = subscriber.subscriptions.first { end(subscription, because: .closed) }
    if clients[subscriber.name] === subscriber { clients.remove(subscriber.name) }
    counters.clients -= 1
    removeFromUser(subscriber)
  }

  private func removeFromUser(_ subscriber: Subscriber) {
    let user = subscriber.user
    guard !user.isEmpty, let last = users[user]?.popLast() else { return }
    if last !== subscriber {
      last.userSlot = subscriber.userSlot
      users[user]?[Int(subscriber.userSlot)] = last
    }
    guard users[user]?.isEmpty == true else { return }
    users[user] = nil
    post(
      to: hub.owner(of: user),
      .work { owner in
        let remaining = (owner.userLoops[user] ?? 1) - 1
        owner.userLoops[user] = remaining == 0 ? nil : remaining
      })
  }
}
