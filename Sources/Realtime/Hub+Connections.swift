/// A client, as the server's owner sees it.
public struct ClientSummary: Sendable {
  /// The client.
  public let info: ClientInfo
  /// The channels that it is subscribed to, in no order; at most ``Hub/maximumChannelsOfSummary``.
  public let channels: [String]
  /// Where its connection's token comes from.
  public let token: TokenOrigin
}

/// Looking through what is there, page by page.
extension Hub {
  /// The most channels that a ``ClientSummary`` names.
  public static let maximumChannelsOfSummary = 1_000

  /// The channels with subscribers whose names fit `pattern` and come behind `name`, sorted by name, at most `limit`.
  /// Each call looks at all channels: a page at a time, and not many at once.
  public func channels(
    _ pattern: ChannelPattern, after name: String, limit: Int, done: @escaping ([ChannelSummary]) -> Void
  ) {
    gather(
      { shard in .channels(shard.summaries(pattern, after: name, limit: limit)) },
      { reply in if case .channels(let some) = reply { some } else { [] } },
      { done(Array($0.sorted { $0.name < $1.name }.prefix(limit))) })
  }

  /// The clients, or those of a user if `user` is not empty, whose identifiers come behind `client`, sorted by these,
  /// at most `limit`.
  public func clients(
    ofUser user: String = "", after client: String, limit: Int, done: @escaping ([ClientSummary]) -> Void
  ) {
    gather(
      { shard in .clients(shard.clients(ofUser: user, after: client, limit: limit)) },
      { reply in if case .clients(let some) = reply { some } else { [] } },
      { done(Array($0.sorted { $0.info.client < $1.info.client }.prefix(limit))) })
  }

  /// Asks every loop, and puts together what they say.
  private func gather<Element>(
    _ ask: @escaping @Sendable (Shard) -> Shard.Reply, _ read: @escaping (Shard.Reply) -> [Element],
    _ done: @escaping ([Element]) -> Void
  ) {
    let shard = here
    var (missing, found) = (shards.count, [Element]())
    let ticket = shard.keep { reply in
      found += read(reply)
      missing -= 1
      if missing == 0 { done(found) }
      return missing == 0
    }
    for other in shards {
      shard.post(to: other.index, .work { [home = shard.index] in $0.answer(home, ticket, ask($0)) })
    }
  }
}

extension Shard {
  fileprivate func summaries(
    _ pattern: ChannelPattern, after name: String, limit: Int
  ) -> [ChannelSummary] {
    var page = Page<ChannelSummary>(limit: limit)
    for (channel, owned) in owned where channel > name && !owned.audience.isEmpty {
      guard page.mayTake(channel), pattern.matches(channel) else { continue }
      page.take(channel, ChannelSummary(name: channel, clients: owned.audience.count))
    }
    return page.elements
  }

  fileprivate func clients(ofUser user: String, after client: String, limit: Int) -> [ClientSummary] {
    var page = Page<Subscriber>(limit: limit)
    let candidates = user.isEmpty ? clients.values : users[user] ?? []
    for subscriber in candidates {
      let name = subscriber.client
      if name > client, page.mayTake(name) { page.take(name, subscriber) }
    }
    return page.elements.map {
      ClientSummary(
        info: $0.info, channels: Array($0.channels.prefix(Hub.maximumChannelsOfSummary)), token: $0.token)
    }
  }
}

/// The first elements by their names, of many that come in no order; holds twice as many as are wanted.
private struct Page<Element> {
  private let limit: Int
  private var held: [(name: String, element: Element)] = []
  /// Names from here on are not wanted any more.
  private var end: String?

  init(limit: Int) { self.limit = max(0, limit) }

  func mayTake(_ name: String) -> Bool { limit > 0 && (end.map { name < $0 } ?? true) }

  mutating func take(_ name: String, _ element: Element) {
    held.append((name, element))
    if held.count >= 2 * limit, held.count > limit { shorten() }
  }

  private mutating func shorten() {
    held.sort { $0.name < $1.name }
    held.removeLast(max(0, held.count - limit))
    if held.count == limit { end = held.last?.name }
  }

  var elements: [Element] {
    var sorted = self
    sorted.shorten()
    return sorted.held.map(\.element)
  }
}
