import EventLoops

/// A channel as its owner loop sees it: the stream and who listens. No loop, no clock, no encoding in here:
/// time is passed in, and what is to be sent is returned.
final class OwnedChannel {
  let name: String
  let namespace: Namespace
  private(set) var stream: StreamPosition
  private(set) var audience = ChannelAudience()

  private var history = History()
  private var idempotency = IdempotencyWindow()
  private var members: [String: Member] = [:]
  private var version: (epoch: String, number: UInt64) = ("", 0)
  private var lastUse: UInt64
  /// The timer that will look at this channel again, if one is set.
  var wakeup: (deadline: UInt64, timer: TimerID)?

  private struct Member {
    let info: ClientInfo
    let subscription: SubscriptionID
  }

  var options: NamespaceOptions { namespace.options }

  init(name: String, namespace: Namespace, epoch: @autoclosure () -> String, now: UInt64) {
    self.name = name
    self.namespace = namespace
    stream = StreamPosition(epoch: namespace.options.keepsHistory ? epoch() : "", offset: 0)
    lastUse = now
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
    if !key.isEmpty, let first = idempotency.position(for: key, now: now) { return .suppressed(first) }
    let isKept = options.keepsHistory && !request.skipsHistory
    if isKept, isStale(request) { return .suppressed(stream) }
    if isKept { stream.offset += 1 }
    let publication = Publication(
      data: request.data, offset: isKept ? stream.offset : 0, info: info, tags: request.tags,
      timestampMilliseconds: wallClock, isUnchecked: request.isUnchecked)
    if isKept {
      history.append(publication, now: now, options: options)
      if request.version > 0 { version = (request.versionEpoch, request.version) }
    }
    // What was not kept has no place in the stream: the answer then names none.
    let position = isKept ? stream : StreamPosition()
    if !key.isEmpty { idempotency.insert(key, position, now: now, options: options) }
    lastUse = now
    return .published(publication, position)
  }

  private func isStale(_ request: PublishRequest) -> Bool {
    request.version > 0 && version.epoch == request.versionEpoch && request.version <= version.number
  }

  // MARK: Reading

  func position(now: UInt64) -> StreamPosition {
    history.expire(now: now)
    return stream
  }

  /// What a client at `since` has missed; nil when that cannot be told whole.
  func missed(since: StreamPosition, now: UInt64) -> [Publication]? {
    history.expire(now: now)
    guard options.keepsHistory, since.epoch.isEmpty || since.epoch == stream.epoch else { return nil }
    return history.complete(
      after: since.offset, top: stream.offset, limit: options.maximumRecoveredPublications)
  }

  func history(_ query: HistoryQuery, now: UInt64) -> Result<HistoryPage, HubError> {
    guard options.keepsHistory else { return .failure(.notAvailable) }
    history.expire(now: now)
    if let since = query.since {
      let isKnown = since.epoch.isEmpty || since.epoch == stream.epoch
      guard isKnown, since.offset <= stream.offset || query.reverse else {
        return .failure(.unrecoverablePosition)
      }
    }
    let limit = min(query.limit ?? Int.max, options.maximumHistoryPublications)
    let publications = history.page(from: query.since?.offset, reverse: query.reverse, limit: limit)
    return .success(HistoryPage(publications: publications, position: stream))
  }

  func removeHistory() {
    history.removeAll()
  }

  // MARK: Members

  func join(_ subscription: SubscriptionID, info: ClientInfo, encoding: Int, now: UInt64) {
    audience.add(loop: subscription.loop, encoding: encoding)
    if options.keepsPresence { members[info.client] = Member(info: info, subscription: subscription) }
    lastUse = now
  }

  func leave(_ subscription: SubscriptionID, client: String, encoding: Int, now: UInt64) {
    audience.remove(loop: subscription.loop, encoding: encoding)
    // A second connection that took the same identifier over, maybe on another loop, stays present when the
    // first one goes.
    if members[client]?.subscription == subscription { members[client] = nil }
    lastUse = now
  }

  var presence: [ClientInfo] { members.values.map(\.info) }

  var presenceStats: PresenceStats {
    PresenceStats(clients: members.count, users: Set(members.values.lazy.map(\.info.user)).count)
  }

  // MARK: Ageing

  /// Drops what is too old. Gives back when to look again; nil when nothing is left to wait for: then,
  /// without an audience, the channel can be freed.
  func expire(now: UInt64) -> UInt64? {
    history.expire(now: now)
    idempotency.expire(now: now)
    var next = min(history.nextExpiry ?? .max, idempotency.nextExpiry ?? .max)
    if audience.isEmpty, next == .max, stream.offset > 0 {
      let retention = lastUse.saturatingAdding(options.positionRetentionMilliseconds)
      if retention > now { next = retention }
    }
    return next == .max ? nil : next
  }
}

/// Names one subscription: the subscriber's loop, and a number that loop gave.
struct SubscriptionID: Sendable, Hashable {
  let loop: Int
  let number: UInt64
}
