import Bytes
import EventLoops
import Realtime

/// Asks the application over HTTP, in the words of Centrifugo's proxy protocol (JSON).
///
/// A backend that does not answer in time, or answers with another status than 200 or something else than the protocol,
/// is out of order: clients get error 100, which is temporary, and keep their connections a while longer.
public final class HTTPBackend: SessionBackend {
  /// How much longer a connection or subscription lasts whose backend is out of order, in seconds.
  static let graceSeconds: UInt64 = 60

  private let options: HTTPBackendOptions
  private let lanes: [BackendLane]
  private let now: @Sendable () -> UInt64
  /// Counts what happens.
  public let counters: BackendCounters

  /// Makes a backend for sessions on some loops.
  ///
  /// - Parameters:
  ///   - loops: the loops that sessions live on.
  ///   - options: where and how it is asked.
  ///   - counters: count what happens.
  ///   - now: seconds since 1970.
  public init(
    loops: [EventLoop], options: HTTPBackendOptions, counters: BackendCounters = BackendCounters(),
    now: @escaping @Sendable () -> UInt64
  ) {
    self.options = options
    self.counters = counters
    self.now = now
    lanes = loops.map { BackendLane($0, options, loopCount: loops.count, counters) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public var keptHeaders: [String] { options.passedHeaders }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public var refreshesSessions: Bool { options.endpoints[.refresh] != nil }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func refreshesSubscriptions(to channel: String) -> Bool {
    options.endpoints[.subscriptionRefresh] != nil && decides(on: channel)
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func connect(
    _ request: SessionConnectRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionConnectAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    var body = BackendRequest(caller, includesMeta: false)
    body.add(request)
    return ask(.connect, caller, body, SessionConnectAnswer.init) { done($0 ?? Self.outOfOrder()) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func subscribe(
    _ request: SessionSubscribeRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionSubscribeAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    guard decides(on: request.channel) else { return false }
    var body = BackendRequest(caller, includesMeta: options.includesMeta)
    body.add(user: caller.user, channel: request.channel, data: request.data)
    return ask(.subscribe, caller, body, SessionSubscribeAnswer.init) { done($0 ?? Self.outOfOrder()) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func publish(
    _ request: SessionPublishRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionPublishAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    guard decides(on: request.channel) else { return false }
    var body = BackendRequest(caller, includesMeta: options.includesMeta)
    body.add(user: caller.user, channel: request.channel, data: request.data)
    return ask(.publish, caller, body, SessionPublishAnswer.init) { done($0 ?? Self.outOfOrder()) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func call(
    _ request: SessionCallRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionCallAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    var body = BackendRequest(caller, includesMeta: options.includesMeta)
    body.add(user: caller.user, method: request.method, data: request.data)
    return ask(.rpc, caller, body, SessionCallAnswer.init) { done($0 ?? Self.outOfOrder()) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func refresh(
    of caller: SessionCaller, done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    var body = BackendRequest(caller, includesMeta: options.includesMeta)
    body.add(user: caller.user)
    return ask(.refresh, caller, body, SessionRefreshAnswer.init) { [self] in done($0 ?? grace) }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func refreshSubscription(
    to channel: String, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool {
    guard decides(on: channel) else { return false }
    var body = BackendRequest(caller, includesMeta: options.includesMeta)
    body.add(user: caller.user, channel: channel)
    return ask(.subscriptionRefresh, caller, body, SessionRefreshAnswer.init) { [self] in done($0 ?? grace) }
  }

  private static func outOfOrder<Answer>() -> Result<Answer, SessionRefusal> {
    .failure(.error(.internalError))
  }

  /// Whoever is in stays in while the backend is away.
  private var grace: Result<SessionRefreshAnswer, SessionRefusal> {
    .success(SessionRefreshAnswer(expiresAt: now() + Self.graceSeconds))
  }

  private func decides(on channel: String) -> Bool {
    guard let namespaces = options.namespaces else { return true }
    return namespaces.contains(ChannelName(channel)?.namespace.map(String.init) ?? "")
  }

  /// Asks; `done` gets nil if the backend is out of order. False if nobody is asked about such an event.
  private func ask<Answer: Sendable>(
    _ event: BackendEvent, _ caller: SessionCaller, _ request: BackendRequest,
    _ read: @escaping @Sendable (BackendResult) -> Answer?,
    _ done: @escaping @Sendable (Result<Answer, SessionRefusal>?) -> Void
  ) -> Bool {
    guard let url = options.endpoints[event], let lane = lanes.first(where: { $0.loop === caller.loop })
    else {
      return false
    }
    lane.send(event, to: url, request.body, caller.headers) { [counters] text in
      guard let text else { return done(nil) }
      let answer: Result<Answer, SessionRefusal>?
      switch BackendReply(text, encoding: caller.encoding) {
      case .result(let result)?: answer = read(result).map { .success($0) }
      case .refusal(let refusal)?: answer = .failure(refusal)
      case nil: answer = nil
      }
      if answer == nil { counters.failures.count() }
      done(answer)
    }
    return true
  }
}
