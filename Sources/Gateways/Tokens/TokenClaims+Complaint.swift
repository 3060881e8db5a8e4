import Bytes
import JSON

extension TokenClaims {
  /// What an issuer could do better about a token that was refused; nil where that is not known. What the token says is not
  /// proven, so this is for the log only.
  static func complaint(of token: String) -> String? {
    guard token.utf8.count <= TokenVerifier.maximumByteCount else { return "longer than any token may be" }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let payload = Base64.decode(parts[1], alphabet: .url, padding: false),
      let claims = try? JSONValue(parsing: payload, maximumDepth: 16)
    else { return token.isEmpty ? "there is none" : "not a JSON Web Token" }
    return claims["caps"].flatMap { Capability.complaint($0) }
  }
}
