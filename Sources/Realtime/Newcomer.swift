/// What the owner of a channel is told of a subscription that comes or goes.
struct Newcomer: Sendable {
  let id: SubscriptionID
  let name: ClientName
  /// Nil where nobody is shown it.
  let info: ClientInfo?
  let spelling: Spelling
  /// Whether it appears in the channel's presence.
  let isPresent: Bool
  /// Whether others are told that it comes and goes.
  let isAnnounced: Bool
  /// Who acknowledges; nil for others.
  let consumer: Consumers.Key?
}

extension Subscription {
  var newcomer: Newcomer {
    Newcomer(
      id: id, name: subscriber.name, info: isPresent || isAnnounced ? info : nil, spelling: spelling,
      isPresent: isPresent, isAnnounced: isAnnounced, consumer: selection?.consumption?.key)
  }
}
