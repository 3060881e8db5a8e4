import EventLoops

/// The owner side: channels whose names hash to this loop.
extension Shard {
  func accept(
    _ id: SubscriptionID, to name: String, _ namespace: Namespace, info: ClientInfo, encoding: Int,
    _ options: SubscribeOptions
  ) -> Result<SubscribeResult, HubError> {
    guard let channel = hold(name, namespace) else {
      refused.insert(id)
      return .failure(.limitExceeded)
    }
    let result = beginning(of: channel, options)
    if options.requiresRecovery, result.wasRecovering, !result.recovered {
      refused.insert(id)
      release(channel)
      return .failure(.unrecoverablePosition)
    }
    if channel.audience.isEmpty { counters.channels += 1 }
    channel.join(id, info: info, encoding: encoding, now: now)
    return .success(result)
  }

  /// Tells the others, and the newcomer itself, after its reply, that somebody joined.
  func announce(_ info: ClientInfo, in name: String) {
    guard let channel = owned[name], channel.options.emitsJoinLeave else { return }
    send(.joined(info), to: channel)
  }

  private func beginning(of channel: OwnedChannel, _ options: SubscribeOptions) -> SubscribeResult {
    let rules = channel.options
    let isRecoverable =
      rules.keepsHistory && (rules.forcesRecovery || (rules.allowsRecovery && options.wantsRecovery))
    let mayRecover = rules.keepsHistory && (rules.forcesRecovery || rules.allowsRecovery)
    let position = channel.position(now: now)
    let missed = options.recoverSince.flatMap { mayRecover ? channel.missed(since: $0, now: now) : nil }
    if options.recoverSince != nil {
      if missed != nil { counters.recovered &+= 1 } else { counters.unrecovered &+= 1 }
    }
    return SubscribeResult(
      isRecoverable: isRecoverable, position: position, publications: missed ?? [],
      wasRecovering: options.recoverSince != nil, recovered: missed != nil)
  }

  func leave(_ id: SubscriptionID, _ name: String, info: ClientInfo, encoding: Int) {
    if !refused.isEmpty, refused.remove(id) != nil { return }
    guard let channel = owned[name] else { preconditionFailure("a channel with subscribers was freed") }
    channel.leave(id, client: info.client, encoding: encoding, now: now)
    if channel.audience.isEmpty {
      counters.channels -= 1
      release(channel)
    } else if channel.options.emitsJoinLeave {
      send(.left(info), to: channel)
    }
  }

  func publish(
    _ request: PublishRequest, to name: String, _ namespace: Namespace, info: ClientInfo?
  ) -> Result<StreamPosition, HubError> {
    let options = namespace.options
    let leavesTrace =
      (options.keepsHistory && !request.skipsHistory) || !request.idempotencyKey.isEmpty
    // What nobody hears and nothing remembers makes no channel.
    guard let channel = (leavesTrace ? hold(name, namespace) : owned[name]) else {
      if leavesTrace {
        count(refusal: .limitExceeded)
        return .failure(.limitExceeded)
      }
      counters.published &+= 1
      return .success(StreamPosition())
    }
    switch channel.publish(request, info: info, now: now, wallClock: hub.wallClock()) {
    case .suppressed(let position):
      counters.suppressed &+= 1
      return .success(position)
    case .published(let publication, let position):
      counters.published &+= 1
      send(.publication(publication), to: channel)
      if leavesTrace { watch(channel) }
      return .success(position)
    }
  }

  /// Encodes once, and posts one item to each loop with subscribers.
  private func send(_ event: FanOut.Event, to channel: OwnedChannel) {
    guard !channel.audience.isEmpty else { return }
    let item = FanOut(event, channel: channel, encodings: hub.encodings)
    channel.audience.forEachLoop { post(to: $0, .fanOut(item)) }
  }

  // MARK: Holding and freeing

  /// The channel, made when it is not there; nil when this loop holds as many as it may.
  func hold(_ name: String, _ namespace: Namespace) -> OwnedChannel? {
    if let channel = owned[name] { return channel }
    guard owned.count < hub.limits.maximumChannelsPerLoop else { return nil }
    let channel = OwnedChannel(name: name, namespace: namespace, epoch: epochs.epoch(of: name), now: now)
    owned[name] = channel
    return channel
  }

  /// Frees the channel if nothing needs it, else looks again when that may have changed.
  func release(_ channel: OwnedChannel) {
    watch(channel)
    guard channel.wakeup == nil, channel.audience.isEmpty else { return }
    owned[channel.name] = nil
    if channel.stream.offset > 0 { epochs.forget(channel.name) }
  }

  /// Sees to it that the channel is looked at when something in it gets too old.
  private func watch(_ channel: OwnedChannel) {
    guard let deadline = channel.expire(now: now) else { return }
    if let wakeup = channel.wakeup {
      if wakeup.deadline <= deadline { return }
      loop.cancel(wakeup.timer)
    }
    // Holds the hub, not weakly: a weak reference would make every other count of references to it slower.
    let timer = loop.schedule(after: deadline - now) { [hub, index] in
      channel.wakeup = nil
      hub.shards[index].release(channel)
    }
    channel.wakeup = (deadline, timer)
  }
}
