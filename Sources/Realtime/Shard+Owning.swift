import Bytes
import EventLoops

/// The owner side: channels whose names hash to this loop.
extension Shard {
  func accept(
    _ newcomer: Newcomer, to name: String, _ namespace: Namespace, _ options: SubscribeOptions
  ) -> Result<SubscribeResult, HubError> {
    guard let channel = hold(name, namespace) else {
      refused.insert(newcomer.id)
      return .failure(.limitExceeded)
    }
    var options = options
    let consumed = newcomer.consumer.flatMap { channel.acknowledged(by: $0, now: now) }
    // What was not acknowledged is sent again, whatever the client says of its place.
    if let consumed { options.recoverSince = StreamPosition(epoch: channel.stream.epoch, offset: consumed) }
    let result = beginning(of: channel, options, newcomer, isConsuming: consumed != nil)
    if options.requiresRecovery, result.wasRecovering, !result.recovered {
      return refuse(newcomer, .unrecoverablePosition, channel)
    }
    if let consumer = newcomer.consumer {
      let start = result.recovered ? options.recoverSince?.offset : nil
      let offset = start ?? result.position.offset
      switch channel.attach(consumer, newcomer.id, acknowledged: offset) {
      case .tooMany: return refuse(newcomer, .limitExceeded, channel)
      case .attached(let earlier?):
        post(to: earlier.loop, .work { $0.endTakenOver(earlier, in: name) })
      case .attached(nil): break
      }
    }
    if channel.audience.isEmpty {
      counters.channels += 1
      hub.observer?.channelOccupied(name)
    }
    let member = newcomer.isPresent ? newcomer.info : nil
    channel.join(newcomer.id, member: member, spelling: newcomer.spelling, now: now)
    if let member { hub.observer?.memberAdded(member, to: name) }
    return .success(result)
  }

  private func refuse(
    _ newcomer: Newcomer, _ error: HubError, _ channel: OwnedChannel
  ) -> Result<SubscribeResult, HubError> {
    refused.insert(newcomer.id)
    release(channel)
    return .failure(error)
  }

  /// Tells the others, and the newcomer itself, after its reply, that somebody joined.
  func announce(_ newcomer: Newcomer, in name: String) {
    guard newcomer.isAnnounced, let info = newcomer.info, let channel = owned[name] else { return }
    send(.joined(info), to: channel)
  }

  private func beginning(
    of channel: OwnedChannel, _ options: SubscribeOptions, _ newcomer: Newcomer, isConsuming: Bool
  ) -> SubscribeResult {
    let rules = channel.options
    let position = channel.position(now: now)
    let isCached = rules.recoveryMode == .cache && newcomer.consumer == nil
    let isAsked =
      options.recoverSince != nil || (isCached && rules.forcesRecovery(options) && rules.keepsHistory)
    let mayRecover = rules.mayRecover(options) || (rules.keepsHistory && isConsuming)
    var missed: [Publication]?
    var isWhole = true
    if isAsked, mayRecover {
      if isCached {
        missed = latest(of: channel, options)
      } else if let since = options.recoverSince, newcomer.consumer != nil {
        let portion = channel.portion(since: since, now: now, options.filter)
        (missed, isWhole) = (portion?.publications, portion?.isWhole ?? true)
      } else {
        missed = options.recoverSince.flatMap { channel.missed(since: $0, now: now) }
      }
    }
    if isAsked {
      if missed != nil { counters.recovered &+= 1 } else { counters.unrecovered &+= 1 }
      if isCached, missed == nil { hub.observer?.cacheMissed(channel.name) }
    }
    let serial = channel.serial(ifLast: missed?.last)
    if let filter = options.filter { missed = missed?.filter { filter.matches($0.tags) } }
    var end = position
    if !isWhole, let last = missed?.last { end.offset = last.offset }
    return SubscribeResult(
      isRecoverable: rules.recovers(options), isPositioned: rules.positions(options),
      usesDelta: newcomer.spelling.usesDelta, position: end, publications: missed ?? [],
      wasRecovering: isAsked, recovered: missed != nil, top: position.offset, isBehind: !isWhole,
      lastSerial: missed?.isEmpty == false && channel.serial(ifLast: missed?.last) == serial ? serial : 0)
  }

  /// In cache mode: the last publication, unless the client has it; nil when there is none any more.
  private func latest(of channel: OwnedChannel, _ options: SubscribeOptions) -> [Publication]? {
    let position = channel.stream
    if let since = options.recoverSince, since.offset > 0, since == position { return [] }
    return channel.latest(now: now, options.filter).map { [$0] }
  }

  func leave(_ leaving: Newcomer, _ name: String) {
    if !refused.isEmpty, refused.remove(leaving.id) != nil { return }
    guard let channel = owned[name] else { preconditionFailure("a channel with subscribers was freed") }
    channel.leave(leaving.id, client: leaving.name, spelling: leaving.spelling, now: now)
    if let consumer = leaving.consumer { channel.detach(leaving.id, consumer, now: now) }
    if leaving.isPresent, let info = leaving.info { hub.observer?.memberRemoved(info, from: name) }
    if channel.audience.isEmpty {
      counters.channels -= 1
      hub.observer?.channelVacated(name)
      release(channel)
    } else if leaving.isAnnounced, let info = leaving.info {
      send(.left(info), to: channel)
    }
  }

  func publish(
    _ request: PublishRequest, to name: String, _ namespace: Namespace, info: ClientInfo?
  ) -> Result<StreamPosition, HubError> {
    if request.delayMilliseconds > 0 { return delay(request, to: name, namespace, info: info) }
    let options = namespace.options
    let leavesTrace =
      (options.keepsHistory && !request.skipsHistory) || !request.idempotencyKey.isEmpty
    // What nobody hears and nothing remembers makes no channel.
    guard let channel = (leavesTrace ? hold(name, namespace) : held(name, namespace)) else {
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
      let delta = channel.send(publication, usesDelta: request.usesDelta)
      send(.publication(publication), to: channel, delta: delta)
      if leavesTrace { watch(channel) }
      return .success(position)
    }
  }

  /// Encodes once, and posts one item to each loop with subscribers.
  private func send(_ event: FanOut.Event, to channel: OwnedChannel, delta: SharedBytes? = nil) {
    guard !channel.audience.isEmpty else { return }
    let item = FanOut(event, channel: channel, encodings: hub.encodings, delta: delta)
    channel.audience.forEachLoop { post(to: $0, .fanOut(item)) }
  }

  // MARK: Holding and freeing

  /// The channel if it is there; it goes by the rules of its namespace as they are now.
  private func held(_ name: String, _ namespace: Namespace) -> OwnedChannel? {
    guard let channel = owned[name] else { return nil }
    if channel.namespace !== namespace { channel.adopt(namespace, epoch: epochs.epoch(of: name)) }
    return channel
  }

  /// The channel, made when it is not there; nil when this loop holds as many as it may.
  func hold(_ name: String, _ namespace: Namespace) -> OwnedChannel? {
    if let channel = held(name, namespace) { return channel }
    guard owned.count < limits.maximumChannelsPerLoop else { return nil }
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
      if wakeup <= deadline { return }
      loop.cancel(channel.takeTimer())
    }
    let alarm = alarm ?? Alarm(hub: hub, index: index)
    self.alarm = alarm
    channel.set(
      loop.schedule(after: deadline - now, alarm, token: Alarm.token(of: channel)), deadline: deadline)
  }

  fileprivate func wake(_ channel: OwnedChannel) {
    _ = channel.takeTimer()
    release(channel)
  }
}

/// What the timers of a shard's channels call. It holds the hub, so that a timer that is set finds it; the timers hold it,
/// and the shard does not, or nobody would ever let go of the hub.
///
/// A channel is named by where it is in memory: a closure for each channel took 96 bytes of the 540 that a channel with
/// one publication had. It is there still: a channel is not freed while its timer is set (`Shard.release`).
final class Alarm: TimerTarget {
  private let hub: Hub
  private let index: Int

  init(hub: Hub, index: Int) {
    self.hub = hub
    self.index = index
  }

  static func token(of channel: OwnedChannel) -> UInt64 {
    UInt64(UInt(bitPattern: Unmanaged.passUnretained(channel).toOpaque()))
  }

  func timerFired(_ token: UInt64) {
    guard let place = UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: token)) else { return }
    hub.shards[index].wake(Unmanaged<OwnedChannel>.fromOpaque(place).takeUnretainedValue())
  }
}
