import EventLoops

/// The hub's part on one loop, touched by that loop only. It plays two roles: home of the subscribers that
/// live on the loop, and owner of the channels whose names hash to it. The roles talk in messages, also when
/// one shard plays both, and the order of the loops' mailboxes (first in, first out for each sender) is what
/// orders subscribing with the live stream: the owner's reply to a subscribe and its later publications
/// travel the same way.
final class Shard: @unchecked Sendable {
  let index: Int
  let loop: EventLoop
  /// Every way in comes through the hub or holds on to it.
  unowned let hub: Hub
  /// The rules.
  var namespaces: Namespaces
  /// Those of the hub as a whole.
  var limits: HubLimits
  var counters = HubCounters()

  // Home.
  var heard: [String: HeardChannel] = [:]
  var clients = NameTable<Subscriber>()
  var users: [String: [Subscriber]] = [:]
  var lastSubscriptionNumber: UInt64 = 0

  // Owner.
  var owned: [String: OwnedChannel] = [:]
  /// Subscriptions that were refused here; their leaving, which is always sent, must not be counted.
  var refused: Set<SubscriptionID> = []
  var epochs: Epochs
  /// What the timers of channels call, while there are any.
  weak var alarm: Alarm?
  /// How many publications wait for their time.
  var delayedCount = 0
  /// On how many loops each user has clients.
  var userLoops: [String: Int] = [:]

  private var waiting: [((Reply) -> Bool)?] = []
  private var freeTickets: [Int] = []
  private var isWorking = false
  private var deferred = FIFO<Message>()

  init(index: Int, loop: EventLoop, hub: Hub, namespaces: Namespaces, limits: HubLimits, epochs: Epochs) {
    self.index = index
    self.loop = loop
    self.hub = hub
    self.namespaces = namespaces
    self.limits = limits
    self.epochs = epochs
  }

  var now: UInt64 { loop.nowMilliseconds }

  // MARK: Messages

  /// What a shard is told to do.
  enum Message: Sendable {
    /// Owner's or home's work.
    case work(@Sendable (Shard) -> Void)
    /// Call the subscribers.
    case fanOut(FanOut)
    /// Call a completion.
    case reply(ticket: Int, Reply)
  }

  /// Tells a shard: through the mailbox of its loop, or, when it is this one, at once.
  func post(to index: Int, _ message: Message) {
    if index == self.index { return take(message) }
    let hub = self.hub
    hub.shards[index].loop.execute { hub.shards[index].take(message) }
  }

  /// Works on one message at a time: what it sets off on this loop waits for its end, in order, as it would
  /// in a mailbox. Otherwise a subscriber that publishes while it receives would show its neighbours the
  /// second publication before the first.
  private func take(_ message: Message) {
    if isWorking || !deferred.isEmpty { return deferred.append(message) }
    isWorking = true
    run(message)
    isWorking = false
    workOff()
  }

  /// Two handlers that answer each other must not keep the loop from its sockets: after some messages the
  /// rest waits for the loop's next round.
  private func workOff() {
    isWorking = true
    var budget = Self.messagesPerRound
    while budget > 0, let next = deferred.removeFirst() {
      run(next)
      budget -= 1
    }
    isWorking = false
    guard !deferred.isEmpty else { return }
    let hub = self.hub
    loop.execute { [index] in hub.shards[index].workOff() }
  }

  private static let messagesPerRound = 10_000

  private func run(_ message: Message) {
    switch message {
    case .work(let body): body(self)
    case .fanOut(let item): deliver(item)
    case .reply(let ticket, let reply): settle(ticket, reply)
    }
  }

  /// Calls a completion of this loop, after what is being worked on.
  func call(_ completion: @escaping () -> Void) {
    let ticket = keep { _ in
      completion()
      return true
    }
    answer(index, ticket, .count(0))
  }

  // MARK: Completions

  /// What comes back from another shard. Completions stay on their loop, under a ticket: a closure that
  /// travelled could be released, with all it holds, on the wrong thread.
  enum Reply: Sendable {
    case subscribed(Result<SubscribeResult, HubError>)
    case position(Result<StreamPosition, HubError>)
    case page(Result<HistoryPage, HubError>)
    case presence(Result<[ClientInfo], HubError>)
    case presenceStats(Result<PresenceStats, HubError>)
    case channels([ChannelSummary])
    case clients([ClientSummary])
    case counters(HubCounters)
    case count(Int)
  }

  /// Keeps `completion` until it says that it needs no further reply.
  func keep(_ completion: @escaping (Reply) -> Bool) -> Int {
    if let free = freeTickets.popLast() {
      waiting[free] = completion
      return free
    }
    waiting.append(completion)
    return waiting.count - 1
  }

  /// Answers a ticket of the shard `home`.
  func answer(_ home: Int, _ ticket: Int, _ reply: Reply) {
    post(to: home, .reply(ticket: ticket, reply))
  }

  private func settle(_ ticket: Int, _ reply: Reply) {
    guard let completion = waiting[ticket] else { return }
    guard completion(reply) else { return }
    waiting[ticket] = nil
    freeTickets.append(ticket)
  }
}
