/// Who may do a thing in a namespace. Empty means nobody: that is the default everywhere.
public struct Audience: OptionSet, Sendable, Hashable {
  /// The bits of the set.
  public let rawValue: UInt8

  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Clients with a user identifier.
  public static let authenticated = Audience(rawValue: 1)
  /// Clients without a user identifier.
  public static let anonymous = Audience(rawValue: 2)
  /// Clients that are subscribed to the channel. Means nothing for subscribing itself.
  public static let subscribers = Audience(rawValue: 4)

  /// Nobody.
  public static let nobody: Audience = []
  /// Every client, with a user identifier or without.
  public static let everyone: Audience = [.authenticated, .anonymous]
}

/// What recovery hands out.
public enum RecoveryMode: String, Sendable, CaseIterable {
  /// All that was missed, or nothing.
  case stream
  /// The last publication, which stands for all before it; also to a client that has never been there.
  case cache
}

/// What becomes of publications for a subscriber that does not take what it is sent.
public enum SlowConsumerPolicy: String, Sendable, CaseIterable {
  /// They are queued until the connection's queue is full; then the connection ends.
  case disconnect
  /// They wait, a bounded number of them; beyond that, the oldest are dropped.
  case dropOldest = "drop_oldest"
  /// As `dropOldest`, and of those with the same value of `NamespaceOptions.conflationTag` only the last one waits.
  case conflate
}

/// Ways to send a publication as a difference.
public struct DeltaTypes: OptionSet, Sendable, Hashable {
  /// The bits of the set.
  public let rawValue: UInt8

  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The delta format of the Fossil version control system.
  public static let fossil = DeltaTypes(rawValue: 1)
}

/// The rules and limits of the channels of one namespace. What is not allowed here is denied.
public struct NamespaceOptions: Sendable {
  /// Who may subscribe without a token for the channel.
  public var subscribe: Audience = .nobody
  /// Who may publish over a client connection.
  public var publish: Audience = .nobody
  /// Who may read history over a client connection.
  public var history: Audience = .nobody
  /// Who may read presence over a client connection.
  public var presence: Audience = .nobody
  /// Whether the users that a name such as `dialog#ann,bob` lists may subscribe without a token.
  public var allowsUserLimitedChannels = false

  /// The most publications kept per channel; 0 keeps none.
  public var historySize = 0
  /// How long a publication is kept, in milliseconds; 0 keeps none. A publication of exactly this age is
  /// gone.
  public var historyTTLMilliseconds: UInt64 = 0
  /// The most bytes of data kept per channel.
  public var historyMaximumBytes = 16 << 20
  /// How long a channel that is idle, and whose history has expired, still knows its epoch and offset, in
  /// milliseconds. A client that comes back within this time having missed nothing is told so. Counts only
  /// where history is on.
  public var positionRetentionMilliseconds: UInt64 = 600_000

  /// Whether a client that asks for it gets positions (epoch and offset) and recovery.
  public var allowsRecovery = false
  /// Whether every subscription is recoverable, asked for or not.
  public var forcesRecovery = false
  /// What recovery hands out.
  public var recoveryMode: RecoveryMode = .stream
  /// Whether a client that asks for it is told when it has missed something: its subscription then ends with 2500
  /// (insufficient state), or its connection with 3010 if the server made the subscription. Needs a history.
  public var allowsPositioning = false
  /// Whether every subscription is positioned, asked for or not.
  public var forcesPositioning = false
  /// The most publications that recovery sends; a client that missed more must reload its state.
  public var maximumRecoveredPublications = 300
  /// The most publications that one history call returns.
  public var maximumHistoryPublications = 300

  /// Whether the channel knows who is subscribed.
  public var keepsPresence = false
  /// Whether joins and leaves are sent to the subscribers that ask for them.
  public var emitsJoinLeave = false
  /// Whether joins and leaves are sent to every subscriber, asked for or not.
  public var forcesJoinLeave = false

  /// Whether a client may subscribe with a filter of tags.
  public var allowsTagsFilter = false
  /// How publications may be sent as differences from the ones before them, to clients that ask for it.
  public var allowedDeltas: DeltaTypes = []
  /// Whether that is done with every publication; else with those that ask for it.
  public var publishesDeltas = false

  /// What becomes of publications for a subscriber that does not take what it is sent.
  public var slowConsumers: SlowConsumerPolicy = .disconnect
  /// The tag that says what a publication is about; empty where only a channel's last publication counts.
  public var conflationTag = ""
  /// How many bytes may wait in a connection's queue before publications wait here instead, where `slowConsumers` says so.
  public var slowConsumerQueueBytes = 65_536
  /// The most publications that wait for one subscription.
  public var maximumWaitingPublications = 256
  /// The most bytes that wait for one subscription.
  public var maximumWaitingBytes = 65_536

  /// Whether a user's client may acknowledge publications. Needs a history.
  public var allowsAcknowledgement = false
  /// How long it is remembered how far a client had come that is gone, in milliseconds.
  public var consumerRetentionMilliseconds: UInt64 = 300_000
  /// The most clients of a channel of which that is remembered.
  public var maximumConsumers = 1_000
  /// The most publications that a client may have been sent without acknowledging them: then it gets no more. When it has
  /// acknowledged them its subscription ends with 2500 (insufficient state), and the next one begins there.
  public var maximumUnacknowledgedPublications = 256

  /// The most bytes of data in one publication, its tags included.
  public var maximumMessageBytes = 65_536
  /// How long a repeated idempotency key gives back the first answer, in milliseconds.
  public var idempotencyWindowMilliseconds: UInt64 = 300_000
  /// The most idempotency keys remembered per channel; the oldest is forgotten first.
  public var maximumIdempotencyKeys = 65_536

  /// Makes options that deny everything and keep nothing.
  public init() {}

  var keepsHistory: Bool { historySize > 0 && historyTTLMilliseconds > 0 }
}
