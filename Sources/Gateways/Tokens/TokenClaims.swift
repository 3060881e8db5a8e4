import JSON
import Realtime

/// What a token says (RFC 7519 §4, and the claims of Centrifugo's connection and subscription tokens).
public struct TokenClaims: Sendable, Equatable {
  /// `sub`: the user; empty for an anonymous one.
  public var user = ""
  /// `exp`: the second since 1970 from which the token is not valid any more; nil never.
  public var expiresAt: UInt64?
  /// `nbf`: the second since 1970 before which the token is not valid.
  public var notBefore: UInt64?
  /// `iat`: when the token was made.
  public var issuedAt: UInt64?
  /// `aud`: whom it is meant for.
  public var audiences: [String] = []
  /// `iss`: who made it.
  public var issuer: String?
  /// `jti`: the token's own name, by which it can be revoked.
  public var identifier: String?
  /// `channel`: the channel of a subscription token.
  public var channel: String?
  /// `channels`: subscribed to by the server when the client connects.
  public var channels: [String] = []
  /// `subs`: as `channels`, with options.
  public var subscriptions: [Subscription] = []
  /// `override` of a subscription token: what is different from the namespace's options.
  public var overrides = SubscriptionOverrides()
  /// `info` or `b64info`: what others may know of the user, as JSON.
  public var info: [UInt8]?
  /// `meta`: what the server's backend is told of the connection and clients are not, as JSON.
  public var meta: [UInt8]?
  /// `caps`: what the token allows in which channels.
  public var capabilities: [Capability] = []
  /// `allow` of a subscription token: what it allows in its channel besides subscribing.
  public var allowances: Allowances = []
  /// `expire_at`: when the connection or subscription ends, if not with the token; 0 never.
  public var endsAt: UInt64?

  /// Makes claims that say nothing.
  public init() {}

  /// When what the token opened ends; nil never.
  public var endOfUse: UInt64? {
    guard let endsAt else { return expiresAt }
    return endsAt == 0 ? nil : endsAt
  }
}

extension TokenClaims {
  /// One element of `caps`.
  public struct Capability: Sendable, Equatable {
    /// Names of channels, or patterns.
    public var channels: [String]
    /// How `channels` are to be understood (`match`).
    public var match: ChannelCapability.Match
    /// What is allowed in these channels.
    public var allowances: Allowances

    /// Allows something in some channels.
    public init(
      channels: [String], match: ChannelCapability.Match = .exact, allowances: Allowances
    ) {
      self.channels = channels
      self.match = match
      self.allowances = allowances
    }
  }
}

extension Capabilities {
  /// A token's capabilities as the hub takes them.
  init(_ claimed: [TokenClaims.Capability]) {
    self.init(
      claimed.map {
        ChannelCapability(channels: $0.channels, match: $0.match, allowances: $0.allowances)
      })
  }
}
