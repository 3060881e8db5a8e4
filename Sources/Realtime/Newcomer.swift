/// What the owner of a channel is told of a subscription that comes or goes.
struct Newcomer: Sendable {
  let id: SubscriptionID
  let info: ClientInfo
  let spelling: Spelling
  /// Who acknowledges; nil for others.
  let consumer: Consumers.Key?
}
