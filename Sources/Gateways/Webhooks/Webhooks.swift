import EventLoops
import HTTPCore
import Realtime
import Synchronization
import WebSockets

/// Where and how events are told.
public struct WebhookOptions: Sendable {
  /// The URL (`http` or `https`) that batches are posted to.
  public var url: WebURL
  /// The secret that signs them; empty: they are not signed.
  public var secret = ""
  /// Which events are told.
  public var kinds = Set(WebhookEvent.Kind.allCases)
  /// Fields that every request has.
  public var fields = HTTPFields()
  /// The most events of a batch.
  public var maximumBatch = 100
  /// How long a batch waits for more events, in milliseconds.
  public var batchMilliseconds: UInt64 = 100
  /// The most events that wait, on each loop; those that come then are dropped.
  public var maximumQueued = 10_000
  /// How often a batch is sent before it is dropped.
  public var maximumAttempts = 8
  /// The pause after the first attempt that failed, in milliseconds; it doubles.
  public var firstPauseMilliseconds: UInt64 = 500
  /// The longest pause, in milliseconds.
  public var maximumPauseMilliseconds: UInt64 = 60_000
  /// The time for an answer, in milliseconds.
  public var timeoutMilliseconds: UInt64 = 5_000
  /// How the server there is trusted.
  public var tls = TLSClientOptions()
  /// Where failures are noted; nil: nowhere.
  public var log: ServerLog?

  /// Makes options with the defaults.
  public init(url: WebURL) { self.url = url }
}

/// Tells an application over HTTP what happens, in signed batches. Nothing ever waits for it: what cannot be told is
/// dropped, and counted.
///
/// Events of a loop are told in their order, one batch at a time; so are all events of a channel and of a client. Told
/// at least once: a batch whose answer was lost comes again, under the same identifier.
public final class Webhooks: HubObserver {
  private let options: WebhookOptions
  private let lanes: [WebhookLane]
  /// Counts what happens.
  public let counters: WebhookCounters

  /// Makes webhooks for events on some loops.
  ///
  /// - Parameters:
  ///   - loops: the hub's loops.
  ///   - options: where and how events are told.
  ///   - counters: count what happens.
  ///   - wallClock: milliseconds since 1970.
  ///   - makeIdentifier: a fresh identifier for each batch.
  public init(
    loops: [EventLoop], options: WebhookOptions, counters: WebhookCounters = WebhookCounters(),
    wallClock: @escaping @Sendable () -> UInt64, makeIdentifier: @escaping @Sendable () -> String
  ) {
    self.options = options
    self.counters = counters
    lanes = loops.map { WebhookLane($0, options, counters, wallClock, makeIdentifier) }
  }

  /// Tells an event, later. On one of the loops.
  public func tell(_ event: WebhookEvent) {
    guard options.kinds.contains(event.kind) else { return }
    let current = EventLoop.current
    guard let lane = lanes.first(where: { $0.loop === current }) ?? lanes.first(where: { $0.loop.isCurrent })
    else { return counters.dropped.count() }
    lane.append(event)
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func channelOccupied(_ channel: String) { tell(.channelOccupied(channel)) }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func channelVacated(_ channel: String) { tell(.channelVacated(channel)) }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func cacheMissed(_ channel: String) { tell(.cacheMissed(channel)) }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func memberAdded(_ info: ClientInfo, to channel: String) {
    tell(.memberAdded(info, channel: channel))
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func memberRemoved(_ info: ClientInfo, from channel: String) {
    tell(.memberRemoved(info, channel: channel))
  }
}

/// What became of events. Any thread.
public final class WebhookCounters: Sendable {
  let told = Atomic<UInt64>(0)
  let dropped = Atomic<UInt64>(0)
  let failures = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  /// The counters by their names in docs/limits.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("webhook_events", told.load(ordering: .relaxed)),
      ("webhook_events_dropped", dropped.load(ordering: .relaxed)),
      ("webhook_failures", failures.load(ordering: .relaxed)),
    ]
  }
}
