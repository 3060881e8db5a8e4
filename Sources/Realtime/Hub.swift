import EventLoops

/// Limits of a hub as a whole. Those of a channel are in `NamespaceOptions`.
public struct HubLimits: Sendable {
  /// The most channels that one client may be subscribed to at once.
  public var maximumChannelsPerClient = 128
  /// The most channels that one loop owns; what needs one more is refused with `.limitExceeded`.
  public var maximumChannelsPerLoop = 1_000_000
  /// The most publications of one loop's channels that wait for their time; more are refused with `.limitExceeded`.
  public var maximumDelayedPublications = 10_000
  /// The longest time that a publication can be put off, in milliseconds; longer ones are refused with `.badRequest`.
  public var maximumDelayMilliseconds: UInt64 = 86_400_000
  /// The most channels that one `channels` call names.
  public var maximumChannelsListed = 100_000

  /// Makes the default limits.
  public init() {}
}

/// Who asks for an operation.
public enum Authority {
  /// The server itself: nothing is forbidden to it.
  case server
  /// A client: `Permissions` decides.
  case client(Subscriber)
  /// A client whom the application allows this, whatever `Permissions` says.
  case permitted(Subscriber)

  /// The client that is the origin of what is done.
  var subscriber: Subscriber? {
    switch self {
    case .server: nil
    case .client(let subscriber), .permitted(let subscriber): subscriber
    }
  }
}

/// Channels, who is subscribed to them, and what was published in them; in memory, for the loops of one
/// process.
///
/// Each channel is owned by the loop that the hash of its name picks. The owner gives a publication its
/// offset, keeps history, encodes the publication once for each wire encoding in use, and posts one item to
/// each loop with subscribers. Nothing is locked.
///
/// Call the methods with completions on one of the hub's loops; the completion is called on that loop,
/// exactly once, maybe before the method returns, but never while the hub is calling a subscriber or another
/// completion there. The `async` methods may be called from anywhere.
public final class Hub: Sendable {
  /// The loops, in the order of their indices.
  public let loops: [EventLoop]
  /// How publications are spelled; `Subscriber.encoding` is an index into it.
  public let encodings: [any WireEncoding]

  let observer: (any HubObserver)?
  let wallClock: @Sendable () -> UInt64
  /// What users and addresses have done, for ``RateLimiter``.
  public let rateCounts = SharedRateCounts()
  /// Written once, by `init`, before anybody else can see the hub.
  nonisolated(unsafe) private(set) var shards: [Shard] = []

  /// Makes a hub. Ages are counted on the loops' monotonic clocks.
  ///
  /// - Parameters:
  ///   - loops: The loops that subscribers live on and that share the channels.
  ///   - namespaces: The rules.
  ///   - limits: The limits of the hub as a whole.
  ///   - encodings: How publications are spelled for each wire protocol.
  ///   - observer: Hears what happens to channels.
  ///   - wallClock: Milliseconds since 1970, for the time stamps of publications.
  ///   - randomBits: 64 random bits at each call, for epochs: called once a loop, here.
  public init(
    loops: [EventLoop], namespaces: Namespaces, limits: HubLimits = HubLimits(),
    encodings: [any WireEncoding], observer: (any HubObserver)? = nil,
    wallClock: @escaping @Sendable () -> UInt64, randomBits: () -> UInt64
  ) {
    precondition(!loops.isEmpty, "a hub needs a loop")
    self.loops = loops
    self.encodings = encodings
    self.observer = observer
    self.wallClock = wallClock
    shards = loops.enumerated().map {
      Shard(
        index: $0.offset, loop: $0.element, hub: self, namespaces: namespaces, limits: limits,
        epochs: Epochs(randomBits: randomBits()))
    }
  }

  /// The index of the loop that owns a channel, or keeps the count of a user.
  func owner(of name: String) -> Int { StableHash.owner(of: name, among: loops.count) }

  /// The shard of the loop that this runs on.
  var here: Shard {
    // Two simulated loops may share a thread, so that both are current; the one whose turn it is comes first.
    let current = EventLoop.current
    guard
      let shard = shards.first(where: { $0.loop === current }) ?? shards.first(where: { $0.loop.isCurrent })
    else {
      preconditionFailure("the hub is called on one of its loops")
    }
    return shard
  }

  func shard(of subscriber: Subscriber) -> Shard {
    guard let shard = shards.first(where: { $0.loop === subscriber.loop }) else {
      preconditionFailure("a subscriber lives on one of the hub's loops")
    }
    return shard
  }
}
