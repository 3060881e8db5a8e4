import Bytes

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
  private(set) var info: ClientInfo
  /// Nil where each publication simply goes out.
  let selection: Selection?
  var state = State.pending
  let getsJoinLeave: Bool
  let isGranted: Bool
  let isServerSide: Bool
  /// Appears in the channel's presence.
  let isPresent: Bool
  /// Others are told that it begins and ends.
  let isAnnounced: Bool
  /// Ends when something was missed.
  let isPositioned: Bool
  let allowances: Allowances

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
    isPresent = options.overrides.keepsPresence ?? rules.keepsPresence
    isAnnounced = options.overrides.emitsJoinLeave ?? rules.emitsJoinLeave
    getsJoinLeave =
      (rules.emitsJoinLeave && options.wantsJoinLeave)
      || (options.overrides.forcesJoinLeave ?? (rules.emitsJoinLeave && rules.forcesJoinLeave))
    isGranted = options.isGranted
    isServerSide = options.isServerSide
    isPositioned = rules.positions(options)
    allowances = options.allowances
    selection = Selection(options, rules, user: subscriber.info.user)
  }

  /// Says something else of the client in this channel from now on.
  func describe(_ channelInfo: SharedBytes) {
    info = ClientInfo(
      client: info.client, user: info.user, connectionInfo: info.connectionInfo, channelInfo: channelInfo)
  }

  var spelling: Spelling {
    Spelling(encoding: subscriber.encoding, usesDelta: selection?.usesDelta ?? false)
  }

  var isActive: Bool {
    if case .active = state { true } else { false }
  }
}

/// A channel as a loop with subscribers sees it.
final class HeardChannel {
  /// What delivering to one subscription needs, side by side in one array: a fan-out to many walks this
  /// memory and the subscribers, and touches no subscription and no count of references.
  struct Listener {
    /// Keeps the subscriber alive as well.
    let subscription: Subscription
    let subscriber: Unmanaged<Subscriber>
    let encoding: UInt16
    let getsJoinLeave: Bool
    let isSelective: Bool
  }

  let name: String
  let namespace: Namespace
  private let ownerIndex: Int32
  /// How many subscriptions hold this entry, the pending ones included.
  var holders: Int32 = 0
  /// Who is sent publications.
  private var listeners: [Listener] = []
  /// The last offset that went by; the greatest number before the first, and where there are none.
  private var lastOffset = UInt64.max
  /// Counts those who have left.
  private var departures: UInt32 = 0

  /// The index of the loop that owns the channel.
  var owner: Int { Int(ownerIndex) }

  init(name: String, namespace: Namespace, owner: Int) {
    self.name = name
    self.namespace = namespace
    ownerIndex = Int32(truncatingIfNeeded: owner)
  }

  func activate(_ subscription: Subscription) {
    subscription.state = .active(slot: listeners.count)
    listeners.append(
      Listener(
        subscription: subscription, subscriber: .passUnretained(subscription.subscriber),
        encoding: UInt16(truncatingIfNeeded: subscription.subscriber.encoding),
        getsJoinLeave: subscription.getsJoinLeave,
        isSelective: subscription.selection != nil))
  }

  /// A subscription has begun at this offset.
  func begin(at offset: UInt64) { lastOffset = offset }

  /// A publication goes by. Gives back whether one before it did not.
  func pass(_ offset: UInt64) -> Bool {
    guard offset > 0 else { return false }
    defer { lastOffset = offset }
    return lastOffset != .max && offset != lastOffset &+ 1
  }

  /// Those to whom it matters that something was missed.
  var positioned: [Subscription] {
    listeners.lazy.filter { $0.subscription.isPositioned }.map(\.subscription)
  }

  /// The one in force with that number.
  func subscription(_ id: SubscriptionID) -> Subscription? {
    listeners.first { $0.subscription.id == id }?.subscription
  }

  /// Takes the one at `slot` out; the last one moves into its place.
  func deactivate(slot: Int) {
    departures &+= 1
    let last = listeners.removeLast()
    guard slot < listeners.count else { return }
    listeners[slot] = last
    last.subscription.state = .active(slot: slot)
  }

  /// Calls `body` for each subscriber in force that has a frame. One that leaves meanwhile is not called any
  /// more; there is nobody who comes meanwhile, since the shard works on one message at a time. Gives back
  /// how many were called.
  ///
  /// The array held here keeps the subscribers alive, so that calling them needs no counting of references:
  /// that and the walk over one array took a delivery to 100,000 subscribers from 53 to 12 ns, and from 147
  /// to 30 ns in a heap that had seen use.
  func deliver(
    _ frames: [SharedBytes?], joinLeaveOnly: Bool, selectively: ((Subscription) -> Void)? = nil,
    _ body: (Subscriber, SharedBytes) -> Void
  ) -> UInt64 {
    let listeners = listeners
    let departuresBefore = departures
    var count: UInt64 = 0
    withExtendedLifetime(listeners) {
      listeners.withUnsafeBufferPointer { listeners in
        for index in listeners.indices {
          if joinLeaveOnly, !listeners[index].getsJoinLeave { continue }
          if departures != departuresBefore, !listeners[index].subscription.isActive { continue }
          if listeners[index].isSelective, let selectively {
            selectively(listeners[index].subscription)
            continue
          }
          guard let frame = frames[Int(listeners[index].encoding)] else { continue }
          count += 1
          listeners[index].subscriber._withUnsafeGuaranteedRef { body($0, frame) }
        }
      }
    }
    return count
  }
}
