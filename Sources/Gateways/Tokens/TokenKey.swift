import Bytes

/// Why a key cannot be used; one sentence for whoever configured it.
public struct TokenKeyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A key that tokens are verified with. The key says which algorithms it is for; a token can only pick one of these
/// (RFC 8725 §3.1).
public struct TokenKey: Sendable {
  enum Material: Sendable {
    case secret([UInt8])
    case publicKey(PublicKey)
  }

  /// `kid`: a token that names another one is not verified with this key. Nil: any token may be.
  public let identifier: String?
  /// The algorithms that the key may be used with.
  public let algorithms: Set<TokenAlgorithm>
  let material: Material

  /// A secret that signs and verifies.
  ///
  /// - Parameters:
  ///   - secret: not empty.
  ///   - algorithms: of ``TokenAlgorithm/hmac``; others do not count.
  ///   - identifier: the key's `kid`, if it has one.
  /// - Throws: for an empty secret, and for a text that is a public or private key: whoever knows a public key could
  ///   sign with it.
  public init(
    secret: String, algorithms: Set<TokenAlgorithm> = TokenAlgorithm.hmac, identifier: String? = nil
  ) throws(TokenKeyError) {
    guard !secret.isEmpty else { throw TokenKeyError("The secret is empty.") }
    guard !secret.contains("-----BEGIN") else {
      throw TokenKeyError("The secret is a key in PEM; a public key belongs to the public keys.")
    }
    try self.init(secretBytes: Array(secret.utf8), algorithms, identifier)
  }

  init(
    secretBytes: [UInt8], _ algorithms: Set<TokenAlgorithm>, _ identifier: String?
  ) throws(TokenKeyError) {
    let usable = algorithms.intersection(TokenAlgorithm.hmac)
    guard !secretBytes.isEmpty, !usable.isEmpty else {
      throw TokenKeyError("A secret is used with HS256, HS384 or HS512.")
    }
    self.identifier = identifier
    self.algorithms = usable
    material = .secret(secretBytes)
  }

  /// A public key in PEM (`BEGIN PUBLIC KEY`, or the certificate that holds it).
  ///
  /// - Parameters:
  ///   - pem: the text.
  ///   - algorithms: narrows those of the key's kind, which are RS256, RS384 and RS512 for RSA and one for each other
  ///     kind; nil takes all of them.
  ///   - identifier: the key's `kid`, if it has one.
  /// - Throws: if it is not such a key, or an RSA key of less than 2,048 bits.
  public init(
    pem: [UInt8], algorithms: Set<TokenAlgorithm>? = nil, identifier: String? = nil
  ) throws(TokenKeyError) {
    try self.init(PublicKey(pem: pem), algorithms, identifier)
  }

  init(
    _ key: PublicKey, _ algorithms: Set<TokenAlgorithm>?, _ identifier: String?
  ) throws(TokenKeyError) {
    let own = key.kind.algorithms
    let usable = algorithms.map { own.intersection($0) } ?? own
    guard !usable.isEmpty else {
      throw TokenKeyError("The key is of a kind that none of the algorithms asked for can use.")
    }
    self.identifier = identifier
    self.algorithms = usable
    material = .publicKey(key)
  }

  /// Whether a token with this header may be verified with this key.
  func suits(_ algorithm: TokenAlgorithm, identifier wanted: String?) -> Bool {
    guard algorithms.contains(algorithm) else { return false }
    guard let wanted, let identifier else { return true }
    return wanted == identifier
  }

  /// Whether the signature is this key's; `algorithm` is one of its own.
  func verifies(_ signature: [UInt8], of message: [UInt8], _ algorithm: TokenAlgorithm) -> Bool {
    guard algorithms.contains(algorithm) else { return false }
    switch material {
    case .secret(let secret):
      guard let hash = algorithm.hash else { return false }
      let code = HMACCode.make(message, key: secret, hash)
      return !code.isEmpty && ConstantTime.equal(signature, code)
    case .publicKey(let key):
      return key.verifies(signature, of: message, algorithm)
    }
  }
}
