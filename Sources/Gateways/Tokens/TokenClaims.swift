import JSON

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
  /// `channel`: the channel of a subscription token.
  public var channel: String?
  /// `channels` and the names in `subs`: subscribed to by the server when the client connects.
  public var channels: [String] = []
  /// `info` or `b64info`: what others may know of the user, as JSON.
  public var info: [UInt8]?
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
