import Bytes

/// Makes tokens: JWT (RFC 7519) signed by HS256.
public struct TokenSigner: Sendable {
  private static let header = Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)
  private let key: [UInt8]

  /// Makes a signer with the secret that the verifier has, too.
  public init(secret: String) {
    key = Array(secret.utf8)
  }

  /// Signs claims.
  public func sign(_ claims: TokenClaims) -> String {
    let parts = [Self.header, claims.encoded].map { Base64.encode($0, alphabet: .url, padding: false) }
    let signed = parts.joined(separator: ".")
    let code = HMACSHA256.code(Array(signed.utf8), key: key)
    return signed + "." + Base64.encode(code, alphabet: .url, padding: false)
  }
}
