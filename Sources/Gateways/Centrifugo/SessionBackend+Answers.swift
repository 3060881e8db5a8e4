import Bytes
import Realtime

/// Why a backend does not let a client do something.
public enum SessionRefusal: Error, Sendable, Equatable {
  /// The command fails; the connection goes on.
  case error(CommandError)
  /// The connection ends.
  case disconnect(Disconnect)
}

/// A client may connect.
public struct SessionConnectAnswer: Sendable {
  /// Who it is; empty: an anonymous user.
  public var user = ""
  /// When the connection ends unless it is refreshed, in seconds since 1970; nil never.
  public var expiresAt: UInt64?
  /// What others may know of the user, as JSON on one line.
  public var info: SharedBytes?
  /// What the client is told with the reply, in its encoding.
  public var data: SharedBytes?
  /// Channels to subscribe it to at once, with the options of their namespaces.
  public var channels: [String] = []
  /// Channels to subscribe it to at once.
  public var subscriptions: [(channel: String, answer: SessionSubscribeAnswer)] = []
  /// What the backend wants to be told with each later request, as JSON.
  public var meta: SharedBytes?
  /// What the client may do in which channels, beyond what their namespaces allow.
  public var capabilities: [TokenClaims.Capability] = []

  /// Makes an answer for a user.
  public init(user: String = "") { self.user = user }
}

/// A client may subscribe.
public struct SessionSubscribeAnswer: Sendable {
  /// When the subscription ends unless it is refreshed, in seconds since 1970; nil never.
  public var expiresAt: UInt64?
  /// What others in the channel may know of the user, as JSON on one line.
  public var info: SharedBytes?
  /// What the client is told with the reply, in its encoding.
  public var data: SharedBytes?
  /// What is different from the namespace's options for this subscription.
  public var overrides = SubscriptionOverrides()
  /// What the client may do in the channel besides subscribing, beyond what its namespace allows.
  public var allowances: Allowances = []

  /// Makes an answer that leaves all to the namespace's options.
  public init() {}
}

/// A client's time goes on, or is over.
public struct SessionRefreshAnswer: Sendable {
  /// Whether the time is over.
  public var isExpired = false
  /// When it ends next, in seconds since 1970; nil never.
  public var expiresAt: UInt64?
  /// What others may know of the user, as JSON on one line: of a connection, in subscriptions that begin later; of a
  /// subscription, from now on. Nil leaves that as it is.
  public var info: SharedBytes?
  /// What the backend wants to be told from now on (connections only); nil leaves that as it is.
  public var meta: SharedBytes?

  /// Makes an answer.
  public init(isExpired: Bool = false, expiresAt: UInt64? = nil) {
    self.isExpired = isExpired
    self.expiresAt = expiresAt
  }
}

/// A client may publish.
public struct SessionPublishAnswer: Sendable {
  /// What is published instead; nil leaves the data as it is.
  public var data: SharedBytes?
  /// Whether the publication is kept from the channel's history.
  public var skipsHistory = false

  /// Makes an answer that changes nothing.
  public init() {}
}

/// What a method gives back.
public struct SessionCallAnswer: Sendable {
  /// The result, in the client's encoding.
  public var data: SharedBytes?

  /// Makes an answer.
  public init(data: SharedBytes? = nil) { self.data = data }
}
