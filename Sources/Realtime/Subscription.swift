/// One subscriber in one channel, on the subscriber's loop.
final class Subscription {
  enum State {
    /// The owner has not answered yet.
    case pending
    /// At this place of the channel's `active`.
    case active(slot: Int)
    /// Over, for this reason. The owner knows or will know: its leaving is on the way.
    case ended(HubError)
  }

  let id: SubscriptionID
  let subscriber: Subscriber
  let channel: HeardChannel
  let info: ClientInfo
  let getsJoinLeave: Bool
  let isGranted: Bool
  var state = State.pending

  init(
    id: SubscriptionID, subscriber: Subscriber, channel: HeardChannel, options: SubscribeOptions
  ) {
    let rules = channel.namespace.options
    self.id = id
    self.subscriber = subscriber
    self.channel = channel
    info =
      options.channelInfo.map {
        ClientInfo(
          client: subscriber.info.client, user: subscriber.info.user,
          connectionInfo: subscriber.info.connectionInfo, channelInfo: $0)
      } ?? subscriber.info
    getsJoinLeave = rules.emitsJoinLeave && (options.wantsJoinLeave || rules.forcesJoinLeave)
    isGranted = options.isGranted
  }

  var isActive: Bool {
    if case .active = state { true } else { false }
  }
}

/// A channel as a loop with subscribers sees it.
final class HeardChannel {
  let name: String
  let namespace: Namespace
  let owner: Int
  /// Who is sent publications.
  private(set) var active: [Subscription] = []
  /// How many subscriptions hold this entry, the pending ones included.
  var holders = 0

  init(name: String, namespace: Namespace, owner: Int) {
    self.name = name
    self.namespace = namespace
    self.owner = owner
  }

  func activate(_ subscription: Subscription) {
    subscription.state = .active(slot: active.count)
    active.append(subscription)
  }

  /// Takes the one at `slot` out; the last one moves into its place.
  func deactivate(slot: Int) {
    let last = active.removeLast()
    guard slot < active.count else { return }
    active[slot] = last
    last.state = .active(slot: slot)
  }
}
