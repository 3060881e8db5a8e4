import Bytes
import JSON

/// Why a token is not taken.
public enum TokenError: Error, Sendable, Hashable {
  /// It is not a token of ours: form, algorithm, signature, a claim that does not fit.
  case invalid
  /// It is one of ours, and this is not its time: `exp` has passed, or `nbf` is to come.
  case expired
  /// It is one of ours, and was revoked.
  case revoked
  /// It names a key that is not known, of those that are fetched: it may be known a moment later.
  case unknownKey
}

/// Verifies tokens: JWT (RFC 7519), signed by one of the keys that it was given, and by nothing else.
public struct TokenVerifier: Sendable {
  /// The longest token that is looked at, in bytes.
  public static let maximumByteCount = 16_384
  /// The most keys that one token is tried with.
  public static let maximumKeysTried = 16

  /// Keys that do not change.
  public var keys: [TokenKey]
  /// Keys that are fetched; nil where none are.
  public var keySource: (any TokenKeySource)?
  /// What `aud` must name; empty: not checked.
  public var audience: String
  /// What `iss` must be; empty: not checked.
  public var issuer: String
  /// Whether a token must have an end (`exp`).
  public var requiresExpiry: Bool
  /// Issuers with keys of their own, by their names (`iss`). Where there are any, a token of an issuer is verified with
  /// that issuer's keys and no others; `keys`, `keySource` and `audience` are for tokens that name `issuer` or no issuer,
  /// and tokens of unknown issuers are invalid.
  public var issuers: [String: TokenIssuer] = [:]
  /// Tokens that are not taken any more; nil where none can be revoked.
  public var revocations: TokenRevocations?

  /// Makes a verifier.
  ///
  /// - Parameters:
  ///   - keys: keys that do not change; without any, and without a source, every token is invalid.
  ///   - keySource: keys that are fetched.
  ///   - audience: what `aud` must name; empty: not checked.
  ///   - issuer: what `iss` must be; empty: not checked.
  ///   - requiresExpiry: whether a token without `exp` is invalid.
  ///   - revocations: tokens that are not taken any more.
  public init(
    keys: [TokenKey] = [], keySource: (any TokenKeySource)? = nil, audience: String = "", issuer: String = "",
    requiresExpiry: Bool = true, revocations: TokenRevocations? = nil
  ) {
    self.keys = keys
    self.keySource = keySource
    self.audience = audience
    self.issuer = issuer
    self.requiresExpiry = requiresExpiry
    self.revocations = revocations
  }

  /// Makes a verifier of HS256, HS384 and HS512 with one secret; with an empty one, or a key in PEM, every token is
  /// invalid.
  public init(secret: String, audience: String = "", issuer: String = "", requiresExpiry: Bool = true) {
    let key = try? TokenKey(secret: secret)
    self.init(
      keys: key.map { [$0] } ?? [], audience: audience, issuer: issuer, requiresExpiry: requiresExpiry)
  }

  /// Verifies a token at a time, in seconds since 1970.
  ///
  /// - Throws: ``TokenError``.
  public func verify(_ token: String, now: UInt64) throws(TokenError) -> TokenClaims {
    guard token.utf8.count <= Self.maximumByteCount else { throw .invalid }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .invalid }
    guard let header = Base64.decode(parts[0], alphabet: .url, padding: false).flatMap(TokenHeader.init),
      let payload = Base64.decode(parts[1], alphabet: .url, padding: false),
      let signature = Base64.decode(parts[2], alphabet: .url, padding: false)
    else { throw .invalid }
    let signed = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
    let issuer = try issuer(of: payload)
    try issuer.checkSignature(signature, of: signed, header)
    guard let claims = TokenClaims(json: payload) else { throw .invalid }
    try check(claims, audience: issuer.audience, now)
    return claims
  }

  /// Whose keys a token is to be verified with. What it says of that is not proven yet: it only chooses among those that
  /// were configured, each of which vouches for its own tokens alone.
  private func issuer(of payload: [UInt8]) throws(TokenError) -> TokenIssuer {
    let own = TokenIssuer(keys: keys, keySource: keySource, audience: audience)
    guard !issuers.isEmpty else { return own }
    guard let claims = TokenClaims(json: payload) else { throw .invalid }
    guard let name = claims.issuer else { return own }
    if let known = issuers[name] { return known }
    guard !issuer.isEmpty, name == issuer else { throw .invalid }
    return own
  }

  private func check(_ claims: TokenClaims, audience: String, _ now: UInt64) throws(TokenError) {
    guard audience.isEmpty || claims.audiences.contains(audience) else { throw .invalid }
    guard issuer.isEmpty || claims.issuer == issuer || claims.issuer.map({ issuers[$0] != nil }) ?? false
    else { throw .invalid }
    guard claims.expiresAt != nil || !requiresExpiry else { throw .invalid }
    // Not invalid, which keeps a client away for good: a clock that is a second ahead must not do that.
    guard claims.notBefore ?? 0 <= now else { throw .expired }
    if let expiresAt = claims.expiresAt, expiresAt <= now { throw .expired }
    if let revocations, revocations.covers(claims, now: now) { throw .revoked }
  }
}

/// Where keys come from that are fetched. Any thread.
public protocol TokenKeySource: AnyObject, Sendable {
  /// Keys for a token's algorithm and `kid`; may have them fetched again, and does not wait for that.
  func keys(for algorithm: TokenAlgorithm, identifier: String?) -> TokenKeyLookup
}

/// What a ``TokenKeySource`` knows of a key.
public enum TokenKeyLookup: Sendable {
  /// One of these.
  case known([TokenKey])
  /// There is no such key, and it is not being fetched.
  case unknown
  /// There may be such a key: an answer is under way.
  case underWay
}

/// A token's JOSE header (RFC 7515 §4), as far as it counts.
struct TokenHeader {
  /// `kid`s longer than this are not looked for, in bytes.
  static let maximumIdentifierBytes = 255

  let algorithm: TokenAlgorithm
  let keyIdentifier: String?

  /// Nil for a header that is not understood; `jwk`, `jku`, `x5u` and `x5c` are not looked at, for a token does not say
  /// whom to believe.
  init?(json: [UInt8]) {
    guard let fields = try? JSONValue(parsing: json, maximumDepth: 8), fields.objectValue != nil,
      case .string(let name) = fields["alg"], let algorithm = TokenAlgorithm(rawValue: name),
      // RFC 7515 §4.1.11: what is critical and not understood makes the token invalid.
      fields["crit"] == nil
    else { return nil }
    self.algorithm = algorithm
    switch fields["kid"] {
    case nil, .null: keyIdentifier = nil
    case .string(let kid) where kid.utf8.count <= Self.maximumIdentifierBytes: keyIdentifier = kid
    default: return nil
    }
  }
}
