import EventLoops
import Gateways
import HTTPCore

extension ServerConfiguration {
  /// Where the application is told what happens.
  struct WebhookSettings: Sendable {
    var url = ""
    var secret = ""
    /// Empty: all.
    var events: [String] = []
    var headers: [String] = []
    var batchEvents = 100
    var queueEvents = 10_000
    var attempts = 8
    var timeoutMilliseconds: UInt64 = 5_000
  }

  static let webhookSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "webhooks.url", \.webhooks.url, .text("URL"),
      help: "Where events are posted to, in batches. Empty: nowhere."),
    Setting(
      "webhooks.secret", \.webhooks.secret, .text("SECRET"), isSecret: true,
      help:
        "Signs each batch (X-Martlet-Signature: HMAC-SHA256 of timestamp, \".\" and body). Empty: not signed."
    ),
    Setting(
      "webhooks.events", \.webhooks.events, .list("EVENT,…"),
      help:
        "Which events: connect, disconnect, channel_occupied, channel_vacated, member_added, member_removed,"
        + " cache_miss. [] means all."),
    Setting(
      "webhooks.headers", \.webhooks.headers, .list("NAME: VALUE,…"), isSecret: true,
      help: "Fields that every request has."),
    Setting(
      "webhooks.batch_events", \.webhooks.batchEvents, .integer("N", in: 1...10_000),
      help: "The most events of a batch."),
    Setting(
      "webhooks.queue_events", \.webhooks.queueEvents, .integer("N", in: 1...1_000_000),
      help: "The most events that wait, on each event loop; those that come then are dropped, and counted."),
    Setting(
      "webhooks.attempts", \.webhooks.attempts, .integer("N", in: 1...100),
      help:
        "How often a batch is sent before it is dropped; the pauses double from half a second to a minute."),
    Setting(
      "webhooks.timeout_seconds", \.webhooks.timeoutMilliseconds, .seconds(in: 1...60),
      help: "The time that the server there has to answer with a status of 2xx."),
  ]

  /// Webhooks for events on some loops; nil where nobody is told.
  ///
  /// - Throws: ``Problem`` for a setting that cannot be used.
  func makeWebhooks(_ loops: [EventLoop], _ log: ServerLog?) throws(Problem) -> Webhooks? {
    guard var options = try webhookOptions() else { return nil }
    options.log = log
    return Webhooks(
      loops: loops, options: options, wallClock: { UInt64(clamping: Machine.unixMilliseconds) },
      makeIdentifier: UniqueIdentifier.make)
  }

  /// What `webhooks.…` says; nil where nobody is told.
  ///
  /// - Throws: ``Problem`` for a setting that cannot be used.
  func webhookOptions() throws(Problem) -> WebhookOptions? {
    guard !webhooks.url.isEmpty else { return nil }
    var options: WebhookOptions
    do {
      options = WebhookOptions(url: try WebURL(webhooks.url, schemes: ["http", "https"]))
    } catch {
      throw .usage("webhooks.url: \(error)")
    }
    options.secret = webhooks.secret
    options.fields = try Self.fields(webhooks.headers, "webhooks.headers")
    options.maximumBatch = webhooks.batchEvents
    options.maximumQueued = webhooks.queueEvents
    options.maximumAttempts = webhooks.attempts
    options.timeoutMilliseconds = webhooks.timeoutMilliseconds
    if !webhooks.events.isEmpty {
      options.kinds = []
      for name in webhooks.events {
        guard let kind = WebhookEvent.Kind(rawValue: name) else {
          let names = WebhookEvent.Kind.allCases.map(\.rawValue)
          throw .usage(
            "webhooks.events: there is no \(quoted(name))\(Suggestion.clause(for: name, among: names))")
        }
        options.kinds.insert(kind)
      }
    }
    return options
  }
}
