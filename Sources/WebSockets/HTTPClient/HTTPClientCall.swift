import EventLoops
import HTTPCore

/// One request under way: waiting for a connection, or on one. Loop-confined.
final class HTTPClientCall: TimerTarget, @unchecked Sendable {
  let request: HTTPClientRequest
  /// Head and body.
  let message: [UInt8]
  /// Whether a connection has died under it before.
  var wasRepeated = false
  /// The connection that it is on.
  weak var connection: HTTPClientConnection?
  private var pool: HTTPClientPool?
  private var done: HTTPClient.Completion?
  private var timer: TimerID?

  init(_ request: HTTPClientRequest, message: [UInt8], _ done: @escaping HTTPClient.Completion) {
    self.request = request
    self.message = message
    self.done = done
  }

  var isOver: Bool { done == nil }

  func start(in pool: HTTPClientPool) {
    self.pool = pool
    timer = pool.loop.schedule(after: request.timeoutMilliseconds, self, token: 0)
    pool.submit(self)
  }

  /// Calls the completion on the loop's next round, so that it may send the next request whoever is calling now.
  func end(_ result: Result<HTTPClientResponse, HTTPClientError>) {
    guard let done, let pool else { return }
    self.done = nil
    if let timer { pool.loop.cancel(timer) }
    timer = nil
    self.pool = nil
    let outcome = Outcome(done: done, result: result)
    pool.loop.execute { outcome.done(outcome.result) }
  }

  func fail(_ code: HTTPClientError.Code, _ description: String) {
    end(.failure(HTTPClientError(code, description)))
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    let pool = pool
    let seconds = Double(request.timeoutMilliseconds) / 1_000
    fail(.timedOut, "\(request.url.authority) has not answered in \(seconds) s.")
    if let connection { connection.abandon() } else { pool?.withdraw(self) }
  }

  private struct Outcome: @unchecked Sendable {
    let done: HTTPClient.Completion
    let result: Result<HTTPClientResponse, HTTPClientError>
  }
}
