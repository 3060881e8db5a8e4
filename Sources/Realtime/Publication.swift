import Bytes

/// A place in a channel's stream. Offsets count up by one within an epoch; a new epoch says that counting
/// started anew.
public struct StreamPosition: Sendable, Hashable {
  /// Which run of the stream the offset belongs to; empty when unknown, or where no history is kept.
  public var epoch: String
  /// The offset of the last publication; 0 before the first.
  public var offset: UInt64

  /// Names a place.
  public init(epoch: String = "", offset: UInt64 = 0) {
    self.epoch = epoch
    self.offset = offset
  }
}

/// One message of a channel, as history keeps it. Immutable; shared by all loops.
public final class Publication: Sendable {
  /// The payload; opaque to the hub (JSON for the JSON gateways).
  public let data: SharedBytes
  /// The place in the channel's stream; 0 when it was not added to history.
  public let offset: UInt64
  /// Who published it; nil when the server did.
  public let info: ClientInfo?
  /// Names and values that travel with the data.
  public let tags: [(name: String, value: String)]
  /// When it was published, in milliseconds since 1970, by the hub's wall clock.
  public let timestampMilliseconds: UInt64
  /// Whether nothing is known of the payload: see ``PublishRequest/isUnchecked``.
  public let isUnchecked: Bool
  /// When its own time is over, on the loops' clock in milliseconds.
  let deadline: UInt64

  /// Makes a publication.
  public convenience init(
    data: SharedBytes, offset: UInt64, info: ClientInfo? = nil, tags: [(name: String, value: String)] = [],
    timestampMilliseconds: UInt64, isUnchecked: Bool = false
  ) {
    self.init(
      data: data, offset: offset, info: info, tags: tags, timestampMilliseconds: timestampMilliseconds,
      isUnchecked: isUnchecked, deadline: .max)
  }

  init(
    data: SharedBytes, offset: UInt64, info: ClientInfo?, tags: [(name: String, value: String)],
    timestampMilliseconds: UInt64, isUnchecked: Bool, deadline: UInt64
  ) {
    self.isUnchecked = isUnchecked
    self.deadline = deadline
    self.data = data
    self.offset = offset
    self.info = info
    self.tags = tags
    self.timestampMilliseconds = timestampMilliseconds
  }
}

/// What somebody wants to publish.
public struct PublishRequest: Sendable {
  /// The most bytes of an idempotency key or of a version epoch.
  public static let maximumKeyBytes = 255

  /// The payload; opaque to the hub.
  public var data: SharedBytes
  /// Whether nothing is known of the payload. Otherwise it is JSON on one line, which JSON's wire protocols hand on as
  /// it is.
  public var isUnchecked = false
  /// Names and values that travel with the data.
  public var tags: [(name: String, value: String)] = []
  /// A repeat of the same key in the same channel within the namespace's window changes nothing and gives
  /// back the first position. Empty: no such check.
  public var idempotencyKey = ""
  /// Deliver to those who are subscribed now, and keep nothing.
  public var skipsHistory = false
  /// The version of the state that the data describes: a publication whose version is not above the last one
  /// seen (with the same `versionEpoch`) is dropped. 0: no such check. Works where history is kept.
  public var version: UInt64 = 0
  /// Which count of versions `version` belongs to.
  public var versionEpoch = ""

  /// How long it may be shown, in milliseconds from when it is published; nil for as long as history keeps it. Then
  /// it is in no history and no recovery any more, and a slow subscriber that it waits for does not get it.
  public var ttlMilliseconds: UInt64?
  /// Publish it so many milliseconds later; the answer then names no position. A place among
  /// `HubLimits.maximumDelayedPublications` is taken until then, and a restart forgets it.
  public var delayMilliseconds: UInt64 = 0
  /// Send subscribers that agreed to it the difference from the publication before, where the namespace allows that.
  public var usesDelta = false

  /// Makes a request for plain publishing.
  public init(data: SharedBytes) { self.data = data }

  /// What is counted against the namespace's `maximumMessageBytes`.
  var byteCount: Int { tags.reduce(data.count) { $0 + $1.name.utf8.count + $1.value.utf8.count } }
}
