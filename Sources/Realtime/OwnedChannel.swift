import Bytes
import EventLoops

/// A channel as its owner loop sees it: the stream and who listens. No loop, no clock, no encoding in here:
/// time is passed in, and what is to be sent is returned.
final class OwnedChannel {
  let name: String
  private(set) var namespace: Namespace
  private(set) var stream: StreamPosition
  private(set) var audience = ChannelAudience()

  /// Nil while there is nothing in it.
  private var history: History?
  private var members = NameTable<Member>()
  private var extras: ChannelExtras?
  private var lastUse: UInt64
  /// When a timer will look at this channel again; nil where none is set.
  var wakeup: UInt64? { timer == .none ? nil : wakeupDeadline }
  private var wakeupDeadline: UInt64 = 0
  private var timer = TimerID.none

  private struct Member: Named {
    let info: ClientInfo
    let subscription: SubscriptionID

    var name: ClientName { info.name }
  }

  var options: NamespaceOptions { namespace.options }

  init(name: String, namespace: Namespace, epoch: @autoclosure () -> String, now: UInt64) {
    self.name = name
    self.namespace = namespace
    stream = StreamPosition(epoch: namespace.options.keepsHistory ? epoch() : "", offset: 0)
    lastUse = now
  }

  /// The rules have changed.
  func adopt(_ namespace: Namespace, epoch: @autoclosure () -> String) {
    self.namespace = namespace
    if !options.keepsHistory { removeHistory() }
    if options.keepsHistory, stream.epoch.isEmpty { stream.epoch = epoch() }
  }

  // MARK: Publishing

  enum PublishOutcome {
    /// To be sent to the audience.
    case published(Publication, StreamPosition)
    /// A repeat: nothing is sent; the position is the first one's, or for an old version the present one.
    case suppressed(StreamPosition)
  }

  func publish(_ request: PublishRequest, info: ClientInfo?, now: UInt64, wallClock: UInt64) -> PublishOutcome
  {
    let key = request.idempotencyKey
    if !key.isEmpty, let first = position(forKey: key, now: now) { return .suppressed(first) }
    let isKept = options.keepsHistory && !request.skipsHistory
    if isKept, isStale(request) { return .suppressed(stream) }
    if isKept { stream.offset += 1 }
    let publication = Publication(
      data: request.data, offset: isKept ? stream.offset : 0, info: info, tags: request.tags,
      timestampMilliseconds: wallClock, isUnchecked: request.isUnchecked,
      deadline: request.ttlMilliseconds.map { now.saturatingAdding($0) } ?? .max)
    if isKept {
      let history = history ?? History()
      self.history = history
      history.append(publication, now: now, options: options)
      if request.version > 0 { makeExtras().version = (request.versionEpoch, request.version) }
    }
    // What was not kept has no place in the stream: the answer then names none.
    let position = isKept ? stream : StreamPosition()
    if !key.isEmpty { remember(key, position, now: now) }
    lastUse = now
    return .published(publication, position)
  }

  private func isStale(_ request: PublishRequest) -> Bool {
    guard request.version > 0, let version = extras?.version else { return false }
    return version.epoch == request.versionEpoch && request.version <= version.number
  }

  /// What was answered to the first publish with a key.
  func position(forKey key: String, now: UInt64) -> StreamPosition? {
    extras?.idempotency.position(for: key, now: now)
  }

  func remember(_ key: String, _ position: StreamPosition, now: UInt64) {
    makeExtras().idempotency.insert(key, position, now: now, options: options)
  }

  private func makeExtras() -> ChannelExtras {
    if let extras { return extras }
    let made = ChannelExtras()
    extras = made
    return made
  }

  // MARK: Differences

  /// How many publications were sent, where differences are allowed.
  var sentCount: UInt64 { extras?.sentCount ?? 0 }

  /// A publication goes out: gives back the difference from the one before, where somebody wants it.
  func send(_ publication: Publication, usesDelta: Bool) -> SharedBytes? {
    guard !options.allowedDeltas.isEmpty else { return nil }
    let extras = makeExtras()
    let last = extras.lastSent
    extras.lastSent = publication
    extras.sentCount += 1
    guard usesDelta || options.publishesDeltas, audience.usesDelta, let last else { return nil }
    // Encodings may spell what is unchecked by other bytes than its own.
    guard !last.isUnchecked, !publication.isUnchecked else { return nil }
    return last.data.withUnsafeBytes { source in
      publication.data.withUnsafeBytes { FossilDelta.encode(from: source, to: $0) }
    }.map { SharedBytes.make(copying: $0) }
  }

  /// The serial number of a publication that may be the last one sent; 0 when it is not.
  func serial(ifLast publication: Publication?) -> UInt64 {
    guard let publication, let extras, extras.lastSent === publication else { return 0 }
    return extras.sentCount
  }

  // MARK: Acknowledging

  func acknowledged(by key: Consumers.Key, now: UInt64) -> UInt64? {
    extras?.consumers.expire(now: now)
    return extras?.consumers.acknowledged(by: key)
  }

  func attach(
    _ key: Consumers.Key, _ subscription: SubscriptionID, acknowledged: UInt64
  ) -> Consumers.Attachment {
    makeExtras().consumers.attach(
      key, subscription, acknowledged: acknowledged, limit: options.maximumConsumers)
  }

  func acknowledge(_ key: Consumers.Key, upTo offset: UInt64) {
    extras?.consumers.acknowledge(key, upTo: offset, top: stream.offset)
  }

  func detach(_ subscription: SubscriptionID, _ key: Consumers.Key, now: UInt64) {
    let expiry = now.saturatingAdding(options.consumerRetentionMilliseconds)
    extras?.consumers.detach(subscription, key, expiry: expiry)
  }

  // MARK: Reading

  func position(now: UInt64) -> StreamPosition {
    expireHistory(now: now)
    return stream
  }

  /// What a client at `since` has missed; nil when that cannot be told whole.
  func missed(since: StreamPosition, now: UInt64) -> [Publication]? {
    expireHistory(now: now)
    guard options.keepsHistory, since.epoch.isEmpty || since.epoch == stream.epoch else { return nil }
    return (history ?? History()).complete(
      after: since.offset, top: stream.offset, limit: options.maximumRecoveredPublications, now: now)
  }

  /// The first of what a client that acknowledges has missed since `since`, and whether it is all; nil when that cannot be
  /// told.
  func portion(
    since: StreamPosition, now: UInt64, _ filter: TagsFilter?
  ) -> (publications: [Publication], isWhole: Bool)? {
    expireHistory(now: now)
    guard options.keepsHistory, since.epoch.isEmpty || since.epoch == stream.epoch else { return nil }
    return (history ?? History()).portion(
      after: since.offset, top: stream.offset, limit: max(1, options.maximumUnacknowledgedPublications),
      now: now, filter)
  }

  /// The publication that stands for all before it; nil when there is none any more.
  func latest(now: UInt64, _ filter: TagsFilter?) -> Publication? {
    expireHistory(now: now)
    return options.keepsHistory ? history?.last(now: now, filter) : nil
  }

  func history(_ query: HistoryQuery, now: UInt64) -> Result<HistoryPage, HubError> {
    guard options.keepsHistory else { return .failure(.notAvailable) }
    expireHistory(now: now)
    if let since = query.since {
      let isKnown = since.epoch.isEmpty || since.epoch == stream.epoch
      guard isKnown, since.offset <= stream.offset || query.reverse else {
        return .failure(.unrecoverablePosition)
      }
    }
    let limit = min(query.limit ?? Int.max, options.maximumHistoryPublications)
    let publications = (history ?? History()).page(
      from: query.since?.offset, reverse: query.reverse, limit: limit, now: now)
    return .success(HistoryPage(publications: publications, position: stream))
  }

  private func expireHistory(now: UInt64) {
    history?.expire(now: now)
    if history?.count == 0 { history = nil }
  }

  func removeHistory() {
    history = nil
  }

  // MARK: Members

  /// `member` appears in the channel's presence, if there is one.
  func join(_ subscription: SubscriptionID, member: ClientInfo?, spelling: Spelling, now: UInt64) {
    audience.add(loop: subscription.loop, spelling: spelling)
    if let member { members.insert(Member(info: member, subscription: subscription)) }
    lastUse = now
  }

  func leave(_ subscription: SubscriptionID, client: ClientName, spelling: Spelling, now: UInt64) {
    audience.remove(loop: subscription.loop, spelling: spelling)
    // A second connection that took the same identifier over, maybe on another loop, stays present when the
    // first one goes.
    if members[client]?.subscription == subscription { members.remove(client) }
    lastUse = now
  }

  /// Something else is said of a member.
  func describe(_ subscription: SubscriptionID, _ info: ClientInfo) {
    guard members[info.name]?.subscription == subscription else { return }
    members.insert(Member(info: info, subscription: subscription))
  }

  var presence: [ClientInfo] { members.values.map(\.info) }

  var presenceStats: PresenceStats {
    PresenceStats(clients: members.count, users: Set(members.values.lazy.map(\.info.user)).count)
  }

  // MARK: Ageing

  func set(_ timer: TimerID, deadline: UInt64) { (self.timer, wakeupDeadline) = (timer, deadline) }

  /// The timer that was set is not any more.
  func takeTimer() -> TimerID {
    defer { timer = .none }
    return timer
  }

  /// Drops what is too old. Gives back when to look again; nil when nothing is left to wait for: then,
  /// without an audience, the channel can be freed.
  func expire(now: UInt64) -> UInt64? {
    expireHistory(now: now)
    extras?.idempotency.expire(now: now)
    extras?.consumers.expire(now: now)
    var next = min(history?.nextExpiry ?? .max, extras?.idempotency.nextExpiry ?? .max)
    next = min(next, extras?.consumers.nextExpiry ?? .max)
    if audience.isEmpty, next == .max, stream.offset > 0 {
      let retention = lastUse.saturatingAdding(options.positionRetentionMilliseconds)
      if retention > now { next = retention }
    }
    return next == .max ? nil : next
  }
}

/// Names one subscription: the subscriber's loop, and a number that loop gave.
struct SubscriptionID: Sendable, Hashable {
  /// The number is in the lower 48 bits: a loop that gave a million a second would need nine years for them.
  private let bits: UInt64

  var loop: Int { Int(bits >> 48) }

  init(loop: Int, number: UInt64) { bits = UInt64(loop) << 48 | number }
}
