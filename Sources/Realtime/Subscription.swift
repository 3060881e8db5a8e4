import Bytes

/// One subscriber in one channel, on the subscriber's loop.
final class Subscription {
  enum State {
    /// The owner has not answered yet.
    case pending
    /// At this place of the channel's `active`.
    case active(slot: UInt32)
    /// Over, for this reason. The owner knows or will know: its leaving is on the way.
    case ended(HubError)
  }

  let id: SubscriptionID
  let subscriber: Subscriber
  let channel: HeardChannel
  /// Who the client is here, where others may have been shown that; else what the subscriber is.
  private var shownInfo: ClientInfo?
  /// The client's one before; see ``SubscriptionList``.
  var next: Subscription?
  /// Nil where each publication simply goes out.
  let selection: Selection?
  var state = State.pending
  private let traits: Traits
  let allowances: Allowances

  /// Side by side in one byte: there are many subscriptions.
  private struct Traits: OptionSet {
    let rawValue: UInt8

    static let getsJoinLeave = Traits(rawValue: 1 << 0)
    static let isGranted = Traits(rawValue: 1 << 1)
    static let isServerSide = Traits(rawValue: 1 << 2)
    static let isPresent = Traits(rawValue: 1 << 3)
    static let isAnnounced = Traits(rawValue: 1 << 4)
    static let isPositioned = Traits(rawValue: 1 << 5)
  }

  init(
    id: SubscriptionID, subscriber: Subscriber, channel: HeardChannel, options: SubscribeOptions
  ) {
    let rules = channel.namespace.options
    self.id = id
    self.subscriber = subscriber
    self.channel = channel
    var traits: Traits = []
    if options.isGranted { traits.insert(.isGranted) }
    if options.isServerSide { traits.insert(.isServerSide) }
    if options.overrides.keepsPresence ?? rules.keepsPresence { traits.insert(.isPresent) }
    if options.overrides.emitsJoinLeave ?? rules.emitsJoinLeave { traits.insert(.isAnnounced) }
    if rules.positions(options) { traits.insert(.isPositioned) }
    if rules.sendsJoinLeave(options) { traits.insert(.getsJoinLeave) }
    self.traits = traits
    allowances = options.allowances
    selection = Selection(options, rules, user: subscriber.user)
    if let channelInfo = options.channelInfo {
      describe(channelInfo)
    } else if isPresent || isAnnounced {
      keepInfo()
    }
  }

  /// Who the client is, as others see it in this channel.
  var info: ClientInfo { shownInfo ?? subscriber.info }

  /// Goes on with what is said of the client now, whatever becomes of the subscriber's.
  func keepInfo() { shownInfo = info }

  /// Says something else of the client in this channel from now on.
  func describe(_ channelInfo: SharedBytes) {
    shownInfo = ClientInfo(info, connectionInfo: info.connectionInfo, channelInfo: channelInfo)
  }

  var getsJoinLeave: Bool { traits.contains(.getsJoinLeave) }
  var isGranted: Bool { traits.contains(.isGranted) }
  var isServerSide: Bool { traits.contains(.isServerSide) }
  /// Appears in the channel's presence.
  var isPresent: Bool { traits.contains(.isPresent) }
  /// Others are told that it begins and ends.
  var isAnnounced: Bool { traits.contains(.isAnnounced) }
  /// Ends when something was missed.
  var isPositioned: Bool { traits.contains(.isPositioned) }

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

  /// So many are sent something at once that others should not wait for all of them.
  var isCrowd: Bool { listeners.count >= 64 }

  /// The index of the loop that owns the channel.
  var owner: Int { Int(ownerIndex) }

  init(name: String, namespace: Namespace, owner: Int) {
    self.name = name
    self.namespace = namespace
    ownerIndex = Int32(truncatingIfNeeded: owner)
  }

  func activate(_ subscription: Subscription) {
    // There are no more of them than connections.
    subscription.state = .active(slot: UInt32(truncatingIfNeeded: listeners.count))
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
  func deactivate(slot: UInt32) {
    departures &+= 1
    let last = listeners.removeLast()
    guard slot < listeners.count else { return }
    listeners[Int(slot)] = last
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
