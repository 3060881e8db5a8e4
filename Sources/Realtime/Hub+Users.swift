import Bytes
import EventLoops

/// Which clients of a user the server means.
public struct ClientSelection: Sendable {
  /// The user's identifier; empty selects by `client` or `token` alone, and nobody when these are empty as well.
  public var user: String
  /// Only this client, when not empty.
  public var client: String
  /// Only the client of this session, when not empty.
  public var session: String
  /// Never these clients.
  public var except: [String]
  /// Only clients whose token has this name (`jti`), when not empty.
  public var token = ""
  /// Only clients whose token was issued before this second since 1970, or does not say when, when not nil.
  public var issuedBefore: UInt64?

  /// Selects all clients of a user, or those of them that fit.
  public init(user: String, client: String = "", session: String = "", except: [String] = []) {
    self.user = user
    self.client = client
    self.session = session
    self.except = except
  }

  func includes(_ subscriber: Subscriber) -> Bool {
    (client.isEmpty || subscriber.client == client) && (session.isEmpty || subscriber.session == session)
      && !except.contains(subscriber.client) && (token.isEmpty || subscriber.token.identifier == token)
      && (issuedBefore.map { subscriber.token.issuedAt < $0 } ?? true)
  }
}

/// What the server does to clients, on whichever loops they are. `done` gets how many it was done to, when it
/// was done on every loop.
extension Hub {
  /// Calls `Subscriber.disconnect` of the selected clients.
  public func disconnect(
    _ selection: ClientSelection, code: UInt32, reason: String, done: @escaping (Int) -> Void = { _ in }
  ) {
    onEveryLoop(done) { shard in
      let selected = shard.selected(selection)
      for subscriber in selected { subscriber.disconnect(code: code, reason: reason) }
      return selected.count
    }
  }

  /// Ends the selected clients' subscriptions to a channel and calls their `Subscriber.unsubscribed`.
  public func unsubscribe(
    _ selection: ClientSelection, from channel: String, code: UInt32 = 2000,
    reason: String = "server unsubscribe", done: @escaping (Int) -> Void = { _ in }
  ) {
    onEveryLoop(done) { shard in
      var count = 0
      for subscriber in shard.selected(selection) {
        guard let subscription = shard.subscription(of: subscriber, in: channel) else { continue }
        let isKnownToClient = subscription.isActive
        shard.end(subscription, because: .unsubscribed)
        // One whose reply is still to come hears of it in that reply.
        if isKnownToClient { subscriber.unsubscribed(from: channel, code: code, reason: reason) }
        count += 1
      }
      return count
    }
  }

  /// Subscribes the selected clients to a channel, as the server, and calls `Subscriber.subscribed` of each
  /// that was not subscribed. `done` gets how many subscriptions were begun; they may complete later.
  public func subscribe(
    _ selection: ClientSelection, to channel: String, options: SubscribeOptions = SubscribeOptions(),
    data: SharedBytes? = nil, done: @escaping (Int) -> Void = { _ in }
  ) {
    var options = options
    options.isGranted = true
    options.isServerSide = true
    onEveryLoop(done) { [options] shard in
      let selected = shard.selected(selection)
      for subscriber in selected {
        shard.subscribe(subscriber, to: channel, options) { result in
          guard case .success(let result) = result else { return }
          subscriber.subscribed(to: channel, result, data: data)
        }
      }
      return selected.count
    }
  }

  /// Calls `Subscriber.refreshed` of the selected clients.
  public func refresh(
    _ selection: ClientSelection, isExpired: Bool, expiresAt: UInt64?,
    done: @escaping (Int) -> Void = { _ in }
  ) {
    onEveryLoop(done) { shard in
      let selected = shard.selected(selection)
      for subscriber in selected { subscriber.refreshed(isExpired: isExpired, expiresAt: expiresAt) }
      return selected.count
    }
  }

  /// Calls `Subscriber.received(message:)` of the selected clients.
  public func send(
    _ message: SharedBytes, to selection: ClientSelection, done: @escaping (Int) -> Void = { _ in }
  ) {
    onEveryLoop(done) { shard in
      let selected = shard.selected(selection)
      for subscriber in selected { subscriber.received(message: message) }
      return selected.count
    }
  }

  /// Calls `Subscriber.disconnect` of every client.
  public func disconnectAll(code: UInt32, reason: String, done: @escaping (Int) -> Void = { _ in }) {
    onEveryLoop(done) { shard in
      let all = shard.clients.values
      for subscriber in all { subscriber.disconnect(code: code, reason: reason) }
      return all.count
    }
  }

  /// Calls `Subscriber.disconnect` of every client, evenly spread over a time, so that they do not all come
  /// back at once. `done` gets how many, when the last one was told.
  public func drain(
    overMilliseconds: UInt64, code: UInt32, reason: String, done: @escaping (Int) -> Void = { _ in }
  ) {
    let shard = here
    var (missing, sum) = (shards.count, 0)
    let ticket = shard.keep { reply in
      if case .count(let some) = reply { sum += some }
      missing -= 1
      if missing == 0 { done(sum) }
      return missing == 0
    }
    for other in shards {
      shard.post(
        to: other.index,
        .work { [home = shard.index] other in
          let draining = Draining(
            hub: self, shard: other, slices: Int(clamping: overMilliseconds / Draining.sliceMilliseconds) + 1)
          draining.next(code: code, reason: reason) { other.answer(home, ticket, .count($0)) }
        })
    }
  }

  private func onEveryLoop(
    _ done: @escaping (Int) -> Void, _ work: @escaping @Sendable (Shard) -> Int
  ) {
    let shard = here
    var (missing, sum) = (shards.count, 0)
    let ticket = shard.keep { reply in
      if case .count(let some) = reply { sum += some }
      missing -= 1
      if missing == 0 { done(sum) }
      return missing == 0
    }
    for other in shards {
      shard.post(
        to: other.index,
        .work { [home = shard.index] other in other.answer(home, ticket, .count(work(other))) })
    }
  }
}

extension Shard {
  fileprivate func selected(_ selection: ClientSelection) -> [Subscriber] {
    let candidates: [Subscriber]?
    if !selection.user.isEmpty {
      candidates = users[selection.user]
    } else if !selection.client.isEmpty {
      candidates = clients[ClientName(selection.client)].map { [$0] }
    } else {
      candidates = selection.token.isEmpty ? nil : clients.values
    }
    return (candidates ?? []).filter { selection.includes($0) }
  }
}

/// Disconnects the clients of one loop slice by slice.
private final class Draining {
  static let sliceMilliseconds: UInt64 = 50

  private let hub: Hub
  private let shard: Shard
  private var remaining: [Subscriber]
  private let sliceCount: Int
  private var count = 0

  init(hub: Hub, shard: Shard, slices: Int) {
    self.hub = hub
    self.shard = shard
    remaining = shard.clients.values
    sliceCount = (remaining.count + slices - 1) / slices
  }

  func next(code: UInt32, reason: String, done: @escaping (Int) -> Void) {
    for subscriber in remaining.suffix(sliceCount) where subscriber.isOpen {
      subscriber.disconnect(code: code, reason: reason)
      count += 1
    }
    remaining.removeLast(min(sliceCount, remaining.count))
    if remaining.isEmpty { return done(count) }
    shard.loop.schedule(after: Self.sliceMilliseconds) {
      self.next(code: code, reason: reason, done: done)
    }
  }
}
