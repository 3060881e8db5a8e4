/// How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not among them.
public enum TokenAlgorithm: String, Sendable, Hashable, CaseIterable {
  /// HMAC with SHA-256: one secret signs and verifies.
  case hs256 = "HS256"
  /// HMAC with SHA-384.
  case hs384 = "HS384"
  /// HMAC with SHA-512.
  case hs512 = "HS512"
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  case rs256 = "RS256"
  /// RSASSA-PKCS1-v1_5 with SHA-384.
  case rs384 = "RS384"
  /// RSASSA-PKCS1-v1_5 with SHA-512.
  case rs512 = "RS512"
  /// ECDSA on P-256 with SHA-256.
  case es256 = "ES256"
  /// ECDSA on P-384 with SHA-384.
  case es384 = "ES384"
  /// ECDSA on P-521 with SHA-512.
  case es512 = "ES512"
  /// EdDSA on Ed25519.
  case edDSA = "EdDSA"

  /// The algorithms of a shared secret.
  public static let hmac: Set<TokenAlgorithm> = [.hs256, .hs384, .hs512]

  /// Nil for EdDSA, which hashes by itself.
  var hash: SHA2? {
    switch self {
    case .hs256, .rs256, .es256: .sha256
    case .hs384, .rs384, .es384: .sha384
    case .hs512, .rs512, .es512: .sha512
    case .edDSA: nil
    }
  }
}

/// What kind of key a public or private key is; each kind has its algorithms and no others.
enum AsymmetricKeyKind: Sendable, Hashable {
  case rsa, p256, p384, p521, ed25519

  var algorithms: Set<TokenAlgorithm> {
    switch self {
    case .rsa: [.rs256, .rs384, .rs512]
    case .p256: [.es256]
    case .p384: [.es384]
    case .p521: [.es512]
    case .ed25519: [.edDSA]
    }
  }

  /// The bytes of each of the two numbers of an ECDSA signature (RFC 7518 §3.4); nil for other kinds.
  var coordinateByteCount: Int? {
    switch self {
    case .p256: 32
    case .p384: 48
    case .p521: 66
    case .rsa, .ed25519: nil
    }
  }
}
