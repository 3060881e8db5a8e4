import EventLoops
import Realtime

extension HTTPAPI {
  /// Has the application answer a call of its own method, as it answers those of clients. On a loop of the hub.
  func perform(_ call: SessionCallRequest, _ done: @escaping (APIReply) -> Void) {
    guard let loop = hub.loops.first(where: \.isCurrent) else { return done(.error(.internalError)) }
    let caller = SessionCaller(loop: loop, client: "", transport: "server_api", encoding: .json)
    let answer = UnsafeTransfer(done)
    let isTaken = backend.call(call, of: caller) { result in
      switch result {
      case .success(let called): answer.value(.result(.called(called.data)))
      case .failure(.error(let error)):
        answer.value(.error(APIError(code: Int(error.code), message: error.message)))
      case .failure(.disconnect(let end)):
        // There is no connection that could end.
        answer.value(.error(APIError(code: Int(end.code), message: end.reason)))
      }
    }
    if !isTaken { done(.error(.noMethods)) }
  }
}

/// What is called on the loop that it was made on.
private struct UnsafeTransfer: @unchecked Sendable {
  let value: (APIReply) -> Void

  init(_ value: @escaping (APIReply) -> Void) { self.value = value }
}
