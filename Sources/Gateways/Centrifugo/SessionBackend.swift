import Bytes

/// The application's say in what clients do, where tokens and the rules of namespaces are not enough.
///
/// A session calls these methods on its loop. A method that returns `false` has not taken the request: the session
/// then decides by itself, as if there were no backend, and `done` must not be called. One that returns `true` calls
/// `done` once, on the same loop (``SessionCaller/loop``), at once or later; the commands behind wait until then, so
/// there should be an end to waiting (``CommandError/internalError`` is what a backend out of order is answered by). A
/// session that has ended meanwhile ignores the answer.
///
/// All methods have a default that takes nothing.
public protocol SessionBackend: Sendable {
  /// Names of fields of the client's HTTP request that sessions keep for ``SessionCaller/headers``; lower case. Those
  /// that the connect command itself brings (`headers` in client.proto) are kept as well, and count more.
  var keptHeaders: [String] { get }

  /// A client without a token connects. Left alone, it is anonymous, if anonymous clients may connect.
  func connect(
    _ request: SessionConnectRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionConnectAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// The end of a connection's time (``SessionConnectAnswer/expiresAt``) has come. Left alone, the client has to bring
  /// a new token.
  ///
  /// Only asked where ``refreshesSessions`` says so.
  func refresh(
    of caller: SessionCaller, done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// Whether ``refresh(of:done:)`` is what prolongs connections: then clients are not told when theirs ends.
  var refreshesSessions: Bool { get }

  /// A client without a token for it wants to subscribe to a channel. Left alone, the namespace's rules decide.
  func subscribe(
    _ request: SessionSubscribeRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionSubscribeAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// The end of a subscription's time (``SessionSubscribeAnswer/expiresAt``) has come, or the client asks for more of
  /// it without a token. Left alone, the client has to bring a new token.
  ///
  /// Only asked where ``refreshesSubscriptions(to:)`` says so.
  func refreshSubscription(
    to channel: String, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// Whether ``refreshSubscription(to:of:done:)`` is what prolongs subscriptions to a channel: then clients are not
  /// told when theirs end.
  func refreshesSubscriptions(to channel: String) -> Bool

  /// A client wants to publish. Left alone, the namespace's rules decide.
  func publish(
    _ request: SessionPublishRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionPublishAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// A client calls a method of the application. Left alone, the call fails with error 108.
  func call(
    _ request: SessionCallRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionCallAnswer, SessionRefusal>) -> Void
  ) -> Bool

  /// A client has sent something that it expects no reply to (`send` in client.proto).
  func receive(_ data: SharedBytes, from caller: SessionCaller)
}

extension SessionBackend {
  /// None.
  public var keptHeaders: [String] { [] }

  /// Leaves it alone.
  public func connect(
    _ request: SessionConnectRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionConnectAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// Leaves it alone.
  public func refresh(
    of caller: SessionCaller, done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// It is not.
  public var refreshesSessions: Bool { false }

  /// Leaves it alone.
  public func subscribe(
    _ request: SessionSubscribeRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionSubscribeAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// Leaves it alone.
  public func refreshSubscription(
    to channel: String, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// It is not.
  public func refreshesSubscriptions(to channel: String) -> Bool { false }

  /// Leaves it alone.
  public func publish(
    _ request: SessionPublishRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionPublishAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// Leaves it alone.
  public func call(
    _ request: SessionCallRequest, of caller: SessionCaller,
    done: @escaping @Sendable (Result<SessionCallAnswer, SessionRefusal>) -> Void
  ) -> Bool { false }

  /// Ignores it.
  public func receive(_ data: SharedBytes, from caller: SessionCaller) {}
}

/// The backend of those who have none.
public struct NoBackend: SessionBackend {
  /// Makes one that leaves everything alone.
  public init() {}
}
