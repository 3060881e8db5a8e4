import Bytes
import Realtime

@testable import Gateways

/// Answers as a test says, at once or when the test says so. What is not set is left alone.
final class FakeBackend: SessionBackend, @unchecked Sendable {
  typealias Answer<Value> = Result<Value, SessionRefusal>

  var keptHeaders: [String] = []
  var refreshesSessions = false
  var refreshedChannels: Set<String> = []
  var onConnect: ((SessionConnectRequest) -> Answer<SessionConnectAnswer>)?
  var onRefresh: (() -> Answer<SessionRefreshAnswer>)?
  var onSubscribe: ((SessionSubscribeRequest) -> Answer<SessionSubscribeAnswer>)?
  var onSubscriptionRefresh: ((String) -> Answer<SessionRefreshAnswer>)?
  var onPublish: ((SessionPublishRequest) -> Answer<SessionPublishAnswer>)?
  var onCall: ((SessionCallRequest) -> Answer<SessionCallAnswer>)?
  /// Answers wait in `held` when set.
  var isSlow = false
  private(set) var held: [() -> Void] = []
  private(set) var callers: [SessionCaller] = []
  private(set) var sent: [String] = []

  func refreshesSubscriptions(to channel: String) -> Bool { refreshedChannels.contains(channel) }

  private func take<Value>(
    _ answer: (() -> Answer<Value>)?, _ caller: SessionCaller, _ done: @escaping (Answer<Value>) -> Void
  ) -> Bool {
    guard let answer else { return false }
    callers.append(caller)
    if isSlow { held.append { done(answer()) } } else { done(answer()) }
    return true
  }

  /// Gives the answers that wait.
  func release() {
    let held = held
    self.held = []
    for answer in held { answer() }
  }

  func connect(
    _ request: SessionConnectRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Answer<SessionConnectAnswer>) -> Void
  ) -> Bool { take(onConnect.map { body in { body(request) } }, caller, done) }

  func refresh(of caller: SessionCaller, done: @escaping @Sendable (Answer<SessionRefreshAnswer>) -> Void)
    -> Bool
  {
    take(onRefresh, caller, done)
  }

  func subscribe(
    _ request: SessionSubscribeRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Answer<SessionSubscribeAnswer>) -> Void
  ) -> Bool { take(onSubscribe.map { body in { body(request) } }, caller, done) }

  func refreshSubscription(
    to channel: String, of caller: SessionCaller,
    done: @escaping @Sendable (Answer<SessionRefreshAnswer>) -> Void
  ) -> Bool { take(onSubscriptionRefresh.map { body in { body(channel) } }, caller, done) }

  func publish(
    _ request: SessionPublishRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Answer<SessionPublishAnswer>) -> Void
  ) -> Bool { take(onPublish.map { body in { body(request) } }, caller, done) }

  func call(
    _ request: SessionCallRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Answer<SessionCallAnswer>) -> Void
  ) -> Bool { take(onCall.map { body in { body(request) } }, caller, done) }

  func receive(_ data: SharedBytes, from caller: SessionCaller) {
    callers.append(caller)
    sent.append(String(decoding: data.array, as: UTF8.self))
  }
}
