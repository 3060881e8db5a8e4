/// How subscribers take what they are sent.
extension Hub {
  /// A subscriber that was backed up is not any more: it gets what waited for it. On its loop.
  public func drained(_ subscriber: Subscriber) {
    let shard = shard(of: subscriber)
    shard.call { shard.drained(subscriber) }
  }

  /// A client has dealt with all publications of a channel up to an offset: they are not sent to it again. Needs a
  /// subscription with `SubscribeOptions.consumerName`. On the subscriber's loop.
  ///
  /// A client that has left as many unacknowledged as it may gets no more; when it has acknowledged the last of them, its
  /// subscription ends with 2500 (insufficient state), and the next one begins with what it has not been sent.
  ///
  /// - Returns: how many of them it had been sent and not acknowledged before; nil without such a subscription.
  @discardableResult
  public func acknowledge(_ subscriber: Subscriber, in channel: String, upTo offset: UInt64) -> Int? {
    let shard = shard(of: subscriber)
    guard let subscription = shard.subscription(of: subscriber, in: channel), subscription.isActive,
      let key = subscription.selection?.consumption?.key,
      let (count, reached, comesAgain) = subscription.selection?.acknowledge(offset)
    else { return nil }
    shard.counters.acknowledged &+= UInt64(count)
    shard.post(to: subscription.channel.owner, .work { $0.owned[channel]?.acknowledge(key, upTo: reached) })
    if comesAgain { shard.call { if subscription.isActive { shard.end(insufficient: subscription) } } }
    return count
  }
}
