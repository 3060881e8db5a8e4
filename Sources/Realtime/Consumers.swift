/// Those who acknowledge the publications of one channel: how far each has come. A place is kept for a while after its
/// subscription has ended.
struct Consumers {
  /// Who consumes: a user, under a name that its client chose.
  struct Key: Hashable, Sendable {
    let user: String
    let name: String
  }

  private struct Consumer {
    var acknowledged: UInt64
    /// The subscription that consumes now.
    var subscription: SubscriptionID?
    /// When it is forgotten, if nobody has come by then.
    var expiry = UInt64.max
  }

  private var consumers: [Key: Consumer] = [:]

  var isEmpty: Bool { consumers.isEmpty }
  var nextExpiry: UInt64? { consumers.values.lazy.map(\.expiry).min() }

  /// How far a consumer has come; nil for one that is not known.
  func acknowledged(by key: Key) -> UInt64? { consumers[key]?.acknowledged }

  enum Attachment {
    case tooMany
    /// `from`: the subscription that consumed until now.
    case attached(from: SubscriptionID?)
  }

  /// A subscription consumes from here on.
  mutating func attach(
    _ key: Key, _ subscription: SubscriptionID, acknowledged: UInt64, limit: Int
  ) -> Attachment {
    let known = consumers[key]
    guard known != nil || consumers.count < limit else { return .tooMany }
    consumers[key] = Consumer(acknowledged: acknowledged, subscription: subscription)
    return .attached(from: known?.subscription)
  }

  /// What is up to `offset` needs not be sent again. `top`: the channel's last offset, beyond which nobody can be.
  mutating func acknowledge(_ key: Key, upTo offset: UInt64, top: UInt64) {
    guard let known = consumers[key]?.acknowledged else { return }
    consumers[key]?.acknowledged = max(known, min(offset, top))
  }

  /// A subscription has ended. One that another connection has taken over leaves nothing.
  mutating func detach(_ subscription: SubscriptionID, _ key: Key, expiry: UInt64) {
    guard consumers[key]?.subscription == subscription else { return }
    consumers[key]?.subscription = nil
    consumers[key]?.expiry = expiry
  }

  mutating func expire(now: UInt64) {
    guard !consumers.isEmpty else { return }
    consumers = consumers.filter { $0.value.expiry > now }
  }
}
