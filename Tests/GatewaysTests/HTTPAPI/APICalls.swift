import EventLoops
import Synchronization

@testable import Gateways

extension HTTPAPI {
  /// What a request that was let in is answered by, when the loops have come to rest.
  func answer(to request: APIRequest, on loop: EventLoop, _ network: SimulatedNetwork) -> String {
    let answer = Mutex("no answer")
    loop.execute {
      self.perform(request) { reply in
        answer.withLock { $0 = String(decoding: reply.encoded(), as: UTF8.self) }
      }
    }
    network.runUntilIdle()
    return answer.withLock { $0 }
  }
}
