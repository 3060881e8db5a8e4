import Bytes
import JSON

/// Why a token is not taken.
public enum TokenError: Error, Sendable, Hashable {
  /// It is not a token of ours: form, algorithm, signature, a claim that does not fit.
  case invalid
  /// It is one of ours, and this is not its time: `exp` has passed, or `nbf` is to come.
  case expired
}

/// Verifies tokens: JWT (RFC 7519) signed by HS256, and by nothing else.
public struct TokenVerifier: Sendable {
  /// The longest token that is looked at, in bytes.
  public static let maximumByteCount = 16_384

  private let key: [UInt8]
  private let audience: String
  private let issuer: String

  /// Makes a verifier.
  ///
  /// - Parameters:
  ///   - secret: the shared secret; with an empty one every token is invalid.
  ///   - audience: what `aud` must name; empty: not checked.
  ///   - issuer: what `iss` must be; empty: not checked.
  public init(secret: String, audience: String = "", issuer: String = "") {
    key = Array(secret.utf8)
    self.audience = audience
    self.issuer = issuer
  }

  /// Verifies a token at a time, in seconds since 1970.
  ///
  /// - Throws: ``TokenError``.
  public func verify(_ token: String, now: UInt64) throws(TokenError) -> TokenClaims {
    guard !key.isEmpty, token.utf8.count <= Self.maximumByteCount else { throw .invalid }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .invalid }
    guard let header = Base64.decode(parts[0], alphabet: .url, padding: false),
      let payload = Base64.decode(parts[1], alphabet: .url, padding: false),
      let code = Base64.decode(parts[2], alphabet: .url, padding: false)
    else { throw .invalid }
    // RFC 8725 §3.1: the algorithm is ours to choose, not the token's.
    guard let fields = try? JSONValue(parsing: header), fields["alg"] == .string("HS256"),
      fields["crit"] == nil
    else { throw .invalid }
    let signed = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
    let expected = HMACSHA256.code(signed, key: key)
    guard !expected.isEmpty, ConstantTime.equal(code, expected) else { throw .invalid }
    guard let claims = TokenClaims(json: payload) else { throw .invalid }
    guard audience.isEmpty || claims.audiences.contains(audience), issuer.isEmpty || claims.issuer == issuer
    else { throw .invalid }
    // Not invalid, which keeps a client away for good: a clock that is a second ahead must not do that.
    guard claims.notBefore ?? 0 <= now else { throw .expired }
    if let expiresAt = claims.expiresAt, expiresAt <= now { throw .expired }
    return claims
  }
}
