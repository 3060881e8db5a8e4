import Bytes
import EventLoops
import HTTPCore
import WebSockets

/// A backend as one loop asks it: its connections, and a circuit breaker for each event. Loop-confined but for `loop`.
final class BackendLane: @unchecked Sendable {
  let loop: EventLoop
  private let options: HTTPBackendOptions
  private let counters: BackendCounters
  private let client: HTTPClient
  private var breakers: [BackendEvent: CircuitBreaker] = [:]

  init(_ loop: EventLoop, _ options: HTTPBackendOptions, loopCount: Int, _ counters: BackendCounters) {
    self.loop = loop
    self.options = options
    self.counters = counters
    var settings = HTTPClientOptions()
    settings.maximumConnectionsPerHost = max(1, options.maximumConcurrency / max(1, loopCount))
    settings.maximumWaitingPerHost = options.maximumWaiting
    settings.connectTimeoutMilliseconds = options.timeoutMilliseconds
    settings.limits.maximumBodyBytes = UInt64(max(0, options.maximumAnswerBytes))
    settings.tls = options.tls
    client = HTTPClient(loop: loop, options: settings)
  }

  /// Sends a request; `done` gets the body of an answer with status 200, else nil. It may be called at once.
  func send(
    _ event: BackendEvent, to url: WebURL, _ body: [UInt8], _ headers: [(name: String, value: String)],
    _ done: @escaping ([UInt8]?) -> Void
  ) {
    var breaker =
      breakers[event]
      ?? CircuitBreaker(
        threshold: options.breakerThreshold, pauseMilliseconds: options.breakerPauseMilliseconds)
    let isAdmitted = breaker.admits(now: loop.nowMilliseconds)
    breakers[event] = breaker
    guard isAdmitted else {
      counters.rejections.count()
      return done(nil)
    }
    counters.requests.count()
    // Asking twice does no harm, except where something is done by asking.
    let isRepeatable = event != .rpc && event != .publish
    let request = HTTPClientRequest(
      .post, url, fields: fields(headers), body: body, timeoutMilliseconds: options.timeoutMilliseconds,
      isRepeatable: isRepeatable)
    client.send(request) { [self] result in done(take(result, event)) }
  }

  private func fields(_ headers: [(name: String, value: String)]) -> HTTPFields {
    var fields = options.fields
    for (name, value) in headers where fields[name] == nil { fields.append(name, value) }
    fields.set("Content-Type", "application/json")
    return fields
  }

  private func take(
    _ result: Result<HTTPClientResponse, HTTPClientError>, _ event: BackendEvent
  ) -> [UInt8]? {
    switch result {
    case .success(let response):
      // An answer that is an error of the backend's own says that it is not well; 4xx, that it was asked wrongly.
      if response.status.code >= 500 { failed(event) } else { succeeded(event) }
      guard response.status.code == 200 else {
        counters.failures.count()
        note(event, .number("status", response.status.code))
        return nil
      }
      return response.body
    case .failure(let error):
      counters.failures.count()
      note(event, .text("error", error.description))
      failed(event)
      return nil
    }
  }

  private func failed(_ event: BackendEvent) {
    guard breakers[event]?.failed(now: loop.nowMilliseconds) == true else { return }
    counters.openings.count()
    options.log?.write(
      .error, "the backend is not asked for a while",
      [
        .text("event", event.rawValue), .number("loop", loop.index),
        .number("pause_ms", options.breakerPauseMilliseconds),
      ])
  }

  private func succeeded(_ event: BackendEvent) {
    let wasProbing = breakers[event]?.state == .probing
    breakers[event]?.succeeded()
    guard wasProbing else { return }
    options.log?.write(
      .info, "the backend is asked again", [.text("event", event.rawValue), .number("loop", loop.index)])
  }

  private func note(_ event: BackendEvent, _ reason: @autoclosure () -> LogField) {
    options.log?.write(
      .warning, "the backend has failed", about: .backend, [.text("event", event.rawValue), reason()])
  }
}
