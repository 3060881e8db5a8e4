import Synchronization

/// Tokens and users whose tokens are not taken any more. Any thread.
///
/// Entries end by themselves, and there is a most of them: what is revoked is looked up when a client connects or
/// refreshes, not for each message.
public final class TokenRevocations: Sendable {
  /// The most entries; one more is refused.
  public static let defaultMaximumCount = 100_000

  private struct Entries: Sendable {
    /// When the revocation of a token ends, by `jti`.
    var tokens: [String: UInt64] = [:]
    var users: [String: User] = [:]
    /// When entries were last looked through for those that have ended.
    var sweptAt: UInt64 = 0

    var count: Int { tokens.count + users.count }
  }

  private struct User: Sendable {
    /// Tokens that were issued before (`iat`) are not taken; nil for all tokens.
    var issuedBefore: UInt64?
    var endsAt: UInt64
  }

  private let maximumCount: Int
  private let entries = Mutex(Entries())

  /// Makes a list without entries.
  public init(maximumCount: Int = TokenRevocations.defaultMaximumCount) {
    self.maximumCount = maximumCount
  }

  /// How many entries there are.
  public var count: Int { entries.withLock { $0.count } }

  /// Revokes the token with that `jti` until `expiresAt` (seconds since 1970), which is best the token's own end.
  /// False when there are too many entries.
  public func revoke(token identifier: String, until expiresAt: UInt64, now: UInt64) -> Bool {
    entries.withLock { entries in
      guard makeRoom(&entries, now, entries.tokens[identifier] != nil) else { return false }
      entries.tokens[identifier] = expiresAt
      return true
    }
  }

  /// Revokes a user's tokens until `expiresAt`: those issued before `issuedBefore` (`iat`; a token without one counts
  /// as issued before anything), or all if that is nil. False when there are too many entries.
  public func revoke(
    user: String, issuedBefore: UInt64?, until expiresAt: UInt64, now: UInt64
  ) -> Bool {
    entries.withLock { entries in
      guard makeRoom(&entries, now, entries.users[user] != nil) else { return false }
      entries.users[user] = User(issuedBefore: issuedBefore, endsAt: expiresAt)
      return true
    }
  }

  /// Takes a user's revocation back. False if there was none.
  public func restore(user: String) -> Bool {
    entries.withLock { $0.users.removeValue(forKey: user) != nil }
  }

  /// Whether a token with these claims is revoked.
  public func covers(_ claims: TokenClaims, now: UInt64) -> Bool {
    entries.withLock { entries in
      if let identifier = claims.identifier, let end = entries.tokens[identifier], end > now { return true }
      guard let user = entries.users[claims.user], user.endsAt > now else { return false }
      guard let issuedBefore = user.issuedBefore else { return true }
      return (claims.issuedAt ?? 0) < issuedBefore
    }
  }

  /// Whether all that a user has is revoked, however the user is let in.
  public func blocks(user: String, now: UInt64) -> Bool {
    entries.withLock { entries in
      guard let entry = entries.users[user], entry.issuedBefore == nil else { return false }
      return entry.endsAt > now
    }
  }

  private func makeRoom(_ entries: inout Entries, _ now: UInt64, _ isKnown: Bool) -> Bool {
    if isKnown || entries.count < maximumCount { return true }
    // Looking through all of them for each refused call would be slow: once a second is enough.
    if entries.sweptAt != now {
      entries.sweptAt = now
      entries.tokens = entries.tokens.filter { $0.value > now }
      entries.users = entries.users.filter { $0.value.endsAt > now }
    }
    return entries.count < maximumCount
  }
}
