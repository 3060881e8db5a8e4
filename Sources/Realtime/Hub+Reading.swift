/// Reading what channels hold.
extension Hub {
  /// A part of a channel's history. Errors: as for publishing, and `.notAvailable` (no history is kept),
  /// `.unrecoverablePosition` (`since` is of another epoch, or ahead of the channel).
  public func history(
    of channel: String, _ query: HistoryQuery, as authority: Authority,
    done: @escaping (Result<HistoryPage, HubError>) -> Void
  ) {
    let shard = here
    let namespace: Namespace
    switch shard.admit(channel, .readHistory, authority) {
    case .success(let found): namespace = found
    case .failure(let error): return shard.refuse(error, done)
    }
    let ticket = shard.keep { reply in
      if case .page(let result) = reply { done(result) }
      return true
    }
    shard.post(
      to: owner(of: channel),
      .work { [home = shard.index] owner in
        owner.answer(home, ticket, .page(owner.history(of: channel, namespace, query)))
      })
  }

  /// Forgets a channel's publications; its position goes on. Server only.
  public func removeHistory(of channel: String, done: @escaping (Result<StreamPosition, HubError>) -> Void) {
    let shard = here
    if case .failure(let error) = shard.admit(channel, .readHistory, .server) {
      return shard.refuse(error, done)
    }
    let ticket = shard.keep { reply in
      if case .position(let result) = reply { done(result) }
      return true
    }
    shard.post(
      to: owner(of: channel),
      .work { [home = shard.index] owner in
        owner.owned[channel]?.removeHistory()
        owner.answer(home, ticket, .position(.success(owner.owned[channel]?.stream ?? StreamPosition())))
      })
  }

  /// Who is subscribed to a channel, in no order. Errors: as for publishing, and `.notAvailable` (no presence
  /// is kept).
  public func presence(
    of channel: String, as authority: Authority, done: @escaping (Result<[ClientInfo], HubError>) -> Void
  ) {
    let shard = here
    let namespace: Namespace
    switch shard.admit(channel, .readPresence, authority) {
    case .success(let found): namespace = found
    case .failure(let error): return shard.refuse(error, done)
    }
    guard namespace.options.keepsPresence else { return shard.refuse(.notAvailable, done) }
    let ticket = shard.keep { reply in
      if case .presence(let result) = reply { done(result) }
      return true
    }
    shard.post(
      to: owner(of: channel),
      .work { [home = shard.index] owner in
        owner.answer(home, ticket, .presence(.success(owner.owned[channel]?.presence ?? [])))
      })
  }

  /// How many are subscribed to a channel. Errors: as for `presence`.
  public func presenceStats(
    of channel: String, as authority: Authority, done: @escaping (Result<PresenceStats, HubError>) -> Void
  ) {
    let shard = here
    let namespace: Namespace
    switch shard.admit(channel, .readPresence, authority) {
    case .success(let found): namespace = found
    case .failure(let error): return shard.refuse(error, done)
    }
    guard namespace.options.keepsPresence else { return shard.refuse(.notAvailable, done) }
    let ticket = shard.keep { reply in
      if case .presenceStats(let result) = reply { done(result) }
      return true
    }
    shard.post(
      to: owner(of: channel),
      .work { [home = shard.index] owner in
        let stats = owner.owned[channel]?.presenceStats ?? PresenceStats(clients: 0, users: 0)
        owner.answer(home, ticket, .presenceStats(.success(stats)))
      })
  }

  /// The channels with subscribers whose names fit `pattern`, sorted by name; at most
  /// `limits.maximumChannelsListed`.
  public func channels(_ pattern: ChannelPattern, done: @escaping ([ChannelSummary]) -> Void) {
    let limit = limits.maximumChannelsListed
    let shard = here
    var (missing, found) = (shards.count, [ChannelSummary]())
    let ticket = shard.keep { reply in
      if case .channels(let some) = reply { found += some }
      missing -= 1
      guard missing == 0 else { return false }
      done(Array(found.sorted { $0.name < $1.name }.prefix(limit)))
      return true
    }
    for owner in shards {
      shard.post(
        to: owner.index,
        .work { [home = shard.index] owner in
          owner.answer(home, ticket, .channels(owner.summaries(pattern, limit: limit)))
        })
    }
  }

  /// What the hub holds and has done, added up over all loops.
  public func counters(done: @escaping (HubCounters) -> Void) {
    let shard = here
    var (missing, sum) = (shards.count, HubCounters())
    let ticket = shard.keep { reply in
      if case .counters(let some) = reply { sum = sum + some }
      missing -= 1
      if missing == 0 { done(sum) }
      return missing == 0
    }
    for owner in shards {
      shard.post(
        to: owner.index,
        .work { [home = shard.index] owner in owner.answer(home, ticket, .counters(owner.countersNow)) })
    }
  }
}

extension Shard {
  func history(of name: String, _ namespace: Namespace, _ query: HistoryQuery) -> Result<
    HistoryPage, HubError
  > {
    guard namespace.options.keepsHistory else { return .failure(.notAvailable) }
    // Reading gives a channel an epoch, so that what is published later can be told from what was before.
    guard let channel = hold(name, namespace) else { return .failure(.limitExceeded) }
    let page = channel.history(query, now: now)
    release(channel)
    return page
  }

  func summaries(_ pattern: ChannelPattern, limit: Int) -> [ChannelSummary] {
    var found: [ChannelSummary] = []
    for (name, channel) in owned where !channel.audience.isEmpty && pattern.matches(name) {
      found.append(ChannelSummary(name: name, clients: channel.audience.count))
      if found.count == limit { break }
    }
    return found
  }

  var countersNow: HubCounters {
    var now = counters
    now.users = userLoops.count
    now.heldChannels = owned.count
    now.delayed = delayedCount
    return now
  }
}
