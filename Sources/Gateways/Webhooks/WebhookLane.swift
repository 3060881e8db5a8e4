import EventLoops
import HTTPCore
import JSON
import Synchronization
import WebSockets

/// The events of one loop on their way: one batch at a time. Loop-confined but for `loop`.
final class WebhookLane: @unchecked Sendable {
  let loop: EventLoop
  private let options: WebhookOptions
  private let counters: WebhookCounters
  private let wallClock: @Sendable () -> UInt64
  private let makeIdentifier: @Sendable () -> String
  private let client: HTTPClient
  private var queue: [(event: WebhookEvent, time: UInt64)] = []
  /// The batch under way, or waiting for its next attempt.
  private var batch: WebhookBatch?
  private var isWaiting = false

  init(
    _ loop: EventLoop, _ options: WebhookOptions, _ counters: WebhookCounters,
    _ wallClock: @escaping @Sendable () -> UInt64, _ makeIdentifier: @escaping @Sendable () -> String
  ) {
    self.loop = loop
    self.options = options
    self.counters = counters
    self.wallClock = wallClock
    self.makeIdentifier = makeIdentifier
    var settings = HTTPClientOptions()
    settings.maximumConnectionsPerHost = 1
    settings.connectTimeoutMilliseconds = options.timeoutMilliseconds
    settings.tls = options.tls
    client = HTTPClient(loop: loop, options: settings)
  }

  func append(_ event: WebhookEvent) {
    guard queue.count < options.maximumQueued else { return counters.dropped.count() }
    queue.append((event, wallClock()))
    guard batch == nil, !isWaiting else { return }
    isWaiting = true
    loop.schedule(after: options.batchMilliseconds) { [self] in
      isWaiting = false
      sendNext()
    }
  }

  private func sendNext() {
    guard batch == nil, !queue.isEmpty else { return }
    let events = queue.prefix(max(1, options.maximumBatch))
    queue.removeFirst(events.count)
    var json = JSONWriter()
    json.beginObject()
    json.key("events")
    json.array(Array(events)) { json, entry in entry.event.write(to: &json, atMilliseconds: entry.time) }
    json.endObject()
    batch = WebhookBatch(identifier: makeIdentifier(), body: json.bytes, count: events.count)
    attempt()
  }

  private func attempt() {
    guard let batch else { return }
    self.batch?.attempts += 1
    let fields = batch.fields(options, atSeconds: wallClock() / 1_000)
    let request = HTTPClientRequest(
      .post, options.url, fields: fields, body: batch.body, timeoutMilliseconds: options.timeoutMilliseconds,
      isRepeatable: true)
    client.send(request) { [self] in took($0) }
  }

  private func took(_ result: Result<HTTPClientResponse, HTTPClientError>) {
    guard let batch else { return }
    if case .success(let response) = result, (200..<300).contains(response.status.code) {
      counters.told.wrappingAdd(UInt64(batch.count), ordering: .relaxed)
      return goOn()
    }
    counters.failures.count()
    note(result, batch)
    guard batch.attempts < options.maximumAttempts else {
      counters.dropped.wrappingAdd(UInt64(batch.count), ordering: .relaxed)
      options.log?.write(
        .error, "events were dropped",
        [.text("delivery", batch.identifier), .number("events", batch.count)])
      return goOn()
    }
    let doublings = UInt64(min(batch.attempts - 1, 20))
    let pause = min(options.firstPauseMilliseconds << doublings, options.maximumPauseMilliseconds)
    loop.schedule(after: pause) { [self] in attempt() }
  }

  private func note(_ result: Result<HTTPClientResponse, HTTPClientError>, _ batch: WebhookBatch) {
    let reason: LogField =
      switch result {
      case .success(let response): .number("status", response.status.code)
      case .failure(let error): .text("error", error.description)
      }
    options.log?.write(
      .warning, "events were not taken", about: .webhook,
      [.text("delivery", batch.identifier), .number("attempt", batch.attempts), reason])
  }

  private func goOn() {
    batch = nil
    sendNext()
  }
}

/// Events that are told together.
struct WebhookBatch {
  let identifier: String
  let body: [UInt8]
  let count: Int
  var attempts = 0

  /// The fields of an attempt: a receiver recomputes the signature over `timestamp.body`, and refuses old timestamps.
  func fields(_ options: WebhookOptions, atSeconds now: UInt64) -> HTTPFields {
    var fields = options.fields
    fields.set("Content-Type", "application/json")
    fields.set("X-Martlet-Delivery", identifier)
    fields.set("X-Martlet-Timestamp", String(now))
    guard !options.secret.isEmpty else { return fields }
    let code = HMACCode.make(Array("\(now).".utf8) + body, key: Array(options.secret.utf8), .sha256)
    let digits = Array("0123456789abcdef")
    let hexadecimal = code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    fields.set("X-Martlet-Signature", "sha256=" + String(hexadecimal))
    return fields
  }
}
