import Bytes

/// Publications on their way to subscriptions that do not simply take each of them.
extension Shard {
  func deliver(_ publication: Publication, _ item: FanOut, to subscription: Subscription) {
    guard let selection = subscription.selection, !selection.isHeldBack(publication.offset) else { return }
    if let filter = selection.filter, !filter.matches(publication.tags) {
      counters.filtered &+= 1
      selection.passOver(publication.offset)
      return
    }
    guard let frame = frame(for: subscription, item) else { return }
    let subscriber = subscription.subscriber
    if mustWait(subscription, selection) {
      if let outcome = selection.waiting?.append(publication, frame) {
        counters.conflated &+= UInt64(outcome.replaced)
        counters.dropped &+= UInt64(outcome.dropped)
      }
      return
    }
    guard selection.mayConsume(publication.offset) else {
      counters.consumersBehind &+= 1
      return
    }
    counters.delivered &+= 1
    subscriber.received(publication, frame: frame, on: subscription.channel.name)
  }

  private func frame(for subscription: Subscription, _ item: FanOut) -> SharedBytes? {
    let encoding = subscription.subscriber.encoding
    guard let selection = subscription.selection, selection.usesDelta else { return item.frames[encoding] }
    guard item.deltaFrames.indices.contains(encoding), let frames = item.deltaFrames[encoding] else {
      return nil
    }
    defer { selection.lastSerial = item.serial }
    guard let difference = frames.difference, selection.lastSerial > 0,
      selection.lastSerial &+ 1 == item.serial
    else { return frames.whole }
    counters.deltas &+= 1
    return difference
  }

  // MARK: Slow subscribers

  private func mustWait(_ subscription: Subscription, _ selection: Selection) -> Bool {
    guard let waiting = selection.waiting else { return false }
    let limit = subscription.channel.namespace.options.slowConsumerQueueBytes
    return !waiting.isEmpty || subscription.subscriber.isBackedUp(beyond: limit)
  }

  /// The subscriber takes more: what waited goes first.
  func drained(_ subscriber: Subscriber) {
    // One that is sent something may end its subscriptions.
    let held = subscriber.subscriptions.filter { $0.selection?.waiting?.isEmpty == false }
    for subscription in held { release(subscription) }
  }

  private func release(_ subscription: Subscription) {
    guard let selection = subscription.selection else { return }
    let subscriber = subscription.subscriber
    let limit = subscription.channel.namespace.options.slowConsumerQueueBytes
    while subscription.isActive, !subscriber.isBackedUp(beyond: limit),
      let (publication, frame) = selection.waiting?.removeFirst()
    {
      guard publication.deadline > now else {
        counters.dropped &+= 1
        continue
      }
      counters.delivered &+= 1
      subscriber.received(publication, frame: frame, on: subscription.channel.name)
    }
  }

  // MARK: Consumers

  /// Another subscription consumes in this one's place: what both are sent would be dealt with twice.
  func endTakenOver(_ id: SubscriptionID, in name: String) {
    guard let subscription = heard[name]?.subscription(id) else { return }
    let subscriber = subscription.subscriber
    end(subscription, because: .unsubscribed)
    subscriber.unsubscribed(from: name, code: 2000, reason: "taken over")
  }

  // MARK: What was missed

  /// A publication did not come this way: who relies on all of them begins anew.
  func endPositioned(in channel: HeardChannel) {
    for subscription in channel.positioned { end(insufficient: subscription) }
  }

  /// 2500, or 3010 where the client cannot subscribe again by itself.
  func end(insufficient subscription: Subscription) {
    counters.insufficientStates &+= 1
    let (subscriber, channel) = (subscription.subscriber, subscription.channel.name)
    end(subscription, because: .unsubscribed)
    if subscription.isServerSide {
      subscriber.disconnect(code: 3010, reason: "insufficient state")
    } else {
      subscriber.unsubscribed(from: channel, code: 2500, reason: "insufficient state")
    }
  }
}

extension Selection {
  /// The subscription begins: what the client has from the reply.
  func begin(_ result: SubscribeResult) {
    lastSerial = result.lastSerial
    consumption?.last = result.position.offset
    consumption?.unacknowledged = result.publications.map(\.offset)
    consumption?.isBehind = result.isBehind
  }

  /// Whether the client gets what is in the stream no more in this subscription.
  func isHeldBack(_ offset: UInt64) -> Bool { offset > 0 && consumption?.isBehind == true }

  /// The client is not shown this one, so it has nothing to acknowledge.
  func passOver(_ offset: UInt64) {
    if offset > 0 { consumption?.last = offset }
  }

  /// Whether a publication may be sent to a client that acknowledges; true for others.
  func mayConsume(_ offset: UInt64) -> Bool {
    guard offset > 0, let limit = consumption?.limit, let count = consumption?.unacknowledged.count else {
      return true
    }
    guard count < max(1, limit) else {
      consumption?.isBehind = true
      return false
    }
    consumption?.unacknowledged.append(offset)
    consumption?.last = offset
    return true
  }

  /// The client has all up to `offset`. Gives back how many publications that are which it had not acknowledged yet, and
  /// how far it has come, what it was not shown included; and whether it is to come again for more.
  func acknowledge(_ offset: UInt64) -> (count: Int, reached: UInt64, comesAgain: Bool)? {
    guard let last = consumption?.last,
      let count = consumption?.unacknowledged.prefix(while: { $0 <= offset }).count
    else { return nil }
    consumption?.unacknowledged.removeFirst(count)
    let isAll = consumption?.unacknowledged.isEmpty == true && offset > 0
    return (count, isAll ? last : min(offset, last), isAll && consumption?.isBehind == true)
  }
}
