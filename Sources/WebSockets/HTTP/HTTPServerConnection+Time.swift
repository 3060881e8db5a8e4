import EventLoops
import HTTPCore
import Transport

/// Deadlines: one timer a connection.
extension HTTPServerConnection {
  func timerFired(_ token: UInt64) {
    timer = nil
    switch state {
    case .reading where !decoder.isIdle:
      registry.counters.requestTimeouts.count()
      refuse(.requestTimeout, "The request took too long to arrive.")
    case .reading: end()
    case .receiving:
      registry.counters.requestTimeouts.count()
      loseBody()
      refuse(.requestTimeout, "The request's body took too long to arrive.")
    case .flushing:
      registry.counters.slowConsumers.count()
      transport?.abort()
    case .answering, .streaming, .ending, .upgraded, .closed: break
    }
  }

  func setTimer(_ milliseconds: UInt64) {
    cancelTimer()
    timer = registry.loop.schedule(after: milliseconds, self, token: 0)
  }

  func cancelTimer() {
    if let timer { registry.loop.cancel(timer) }
    timer = nil
  }
}
