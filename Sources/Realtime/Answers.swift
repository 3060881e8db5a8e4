/// Which part of a channel's history is wanted.
public struct HistoryQuery: Sendable {
  /// The most publications wanted; 0 asks for the position alone; nil for as many as the namespace allows at
  /// once.
  public var limit: Int?
  /// Going up: what comes after this place. Going down: what comes before it. Nil: from the oldest or the
  /// newest.
  public var since: StreamPosition?
  /// From the newest to the oldest.
  public var reverse: Bool

  /// Makes a query.
  public init(limit: Int? = 0, since: StreamPosition? = nil, reverse: Bool = false) {
    self.limit = limit.map { max(0, $0) }
    self.since = since
    self.reverse = reverse
  }
}

/// A part of a channel's history, and where the channel is now.
public struct HistoryPage: Sendable {
  /// The publications, in the order asked for.
  public let publications: [Publication]
  /// The channel's epoch and last offset.
  public let position: StreamPosition
}

/// How many are present.
public struct PresenceStats: Sendable, Hashable {
  /// Clients (connections).
  public let clients: Int
  /// Distinct users; all anonymous clients count as one.
  public let users: Int
}

/// A channel that has subscribers.
public struct ChannelSummary: Sendable, Hashable {
  /// The channel's name.
  public let name: String
  /// How many subscriptions it has.
  public let clients: Int
}

/// What the hub holds, and what it has done since it was made.
public struct HubCounters: Sendable, Hashable {
  /// Clients now.
  public internal(set) var clients = 0
  /// Distinct users now, anonymous ones not counted.
  public internal(set) var users = 0
  /// Subscriptions now.
  public internal(set) var subscriptions = 0
  /// Channels with at least one subscriber now.
  public internal(set) var channels = 0
  /// Channels held now, those included that only history, a position or an idempotency key keeps.
  public internal(set) var heldChannels = 0
  /// Publications accepted, repeats not counted.
  public internal(set) var published: UInt64 = 0
  /// Publications handed to subscribers.
  public internal(set) var delivered: UInt64 = 0
  /// Publish requests that were repeats: same idempotency key, or an old version.
  public internal(set) var suppressed: UInt64 = 0
  /// Publications that clients have acknowledged.
  public internal(set) var acknowledged: UInt64 = 0
  /// Subscriptions that got no more because too much was not acknowledged.
  public internal(set) var consumersBehind: UInt64 = 0
  /// Publications that a subscriber's filter held back.
  public internal(set) var filtered: UInt64 = 0
  /// Publications handed to subscribers as differences.
  public internal(set) var deltas: UInt64 = 0
  /// Publications dropped for slow subscribers.
  public internal(set) var dropped: UInt64 = 0
  /// Publications that a later one replaced while they waited for a slow subscriber.
  public internal(set) var conflated: UInt64 = 0
  /// Publications that wait for their time now.
  public internal(set) var delayed = 0
  /// Subscriptions ended because something was missed.
  public internal(set) var insufficientStates: UInt64 = 0
  /// Recoveries that could tell a client all it had missed.
  public internal(set) var recovered: UInt64 = 0
  /// Recoveries that could not.
  public internal(set) var unrecovered: UInt64 = 0
  /// Operations refused because a limit was reached.
  public internal(set) var limitRefusals: UInt64 = 0
  /// Operations refused by the rules of `Permissions`.
  public internal(set) var permissionRefusals: UInt64 = 0

  static func + (a: HubCounters, b: HubCounters) -> HubCounters {
    var sum = a
    sum.clients += b.clients
    sum.users += b.users
    sum.subscriptions += b.subscriptions
    sum.channels += b.channels
    sum.heldChannels += b.heldChannels
    sum.published += b.published
    sum.delivered += b.delivered
    sum.suppressed += b.suppressed
    sum.acknowledged += b.acknowledged
    sum.consumersBehind += b.consumersBehind
    sum.filtered += b.filtered
    sum.deltas += b.deltas
    sum.dropped += b.dropped
    sum.conflated += b.conflated
    sum.delayed += b.delayed
    sum.insufficientStates += b.insufficientStates
    sum.recovered += b.recovered
    sum.unrecovered += b.unrecovered
    sum.limitRefusals += b.limitRefusals
    sum.permissionRefusals += b.permissionRefusals
    return sum
  }
}
