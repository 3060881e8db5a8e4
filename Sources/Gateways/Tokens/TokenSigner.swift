import Bytes
import JSON

/// Makes tokens: JWT (RFC 7519), signed.
public struct TokenSigner: Sendable {
  private enum Material: Sendable {
    case secret([UInt8])
    case privateKey(PrivateKey)
  }

  private let material: Material
  private let algorithm: TokenAlgorithm
  private let header: [UInt8]

  /// Makes a signer with the secret that the verifier has, too; signs by HS256.
  public init(secret: String) {
    material = .secret(Array(secret.utf8))
    algorithm = .hs256
    header = Self.header(.hs256, nil)
  }

  /// Makes a signer with a secret and one of the algorithms for secrets.
  ///
  /// - Throws: for an algorithm that needs a private key.
  public init(
    secret: String, algorithm: TokenAlgorithm, identifier: String? = nil
  ) throws(TokenKeyError) {
    guard TokenAlgorithm.hmac.contains(algorithm) else {
      throw TokenKeyError("\(algorithm.rawValue) signs with a private key, not with a secret.")
    }
    material = .secret(Array(secret.utf8))
    self.algorithm = algorithm
    header = Self.header(algorithm, identifier)
  }

  /// Makes a signer with a private key.
  ///
  /// - Parameters:
  ///   - privateKey: in PEM, not encrypted: RSA, ECDSA on P-256, P-384 or P-521, or Ed25519.
  ///   - algorithm: one that suits the key; nil takes the key's only one, or RS256.
  ///   - identifier: `kid`, where verifiers choose among several keys by it.
  /// - Throws: why the key cannot be used.
  public init(
    privateKey: [UInt8], algorithm: TokenAlgorithm? = nil, identifier: String? = nil
  ) throws(TokenKeyError) {
    let key = try PrivateKey(pem: privateKey)
    let suitable = key.kind.algorithms
    let chosen = algorithm ?? (suitable.count == 1 ? suitable.first : nil) ?? .rs256
    guard suitable.contains(chosen) else {
      let names = suitable.map(\.rawValue).sorted().joined(separator: ", ")
      throw TokenKeyError("\(chosen.rawValue) does not suit this key, which signs by \(names).")
    }
    material = .privateKey(key)
    self.algorithm = chosen
    header = Self.header(chosen, identifier)
  }

  private static func header(_ algorithm: TokenAlgorithm, _ identifier: String?) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("alg", algorithm.rawValue)
    json.member("typ", "JWT")
    if let identifier { json.member("kid", identifier) }
    json.endObject()
    return json.bytes
  }

  /// Signs claims.
  public func sign(_ claims: TokenClaims) -> String {
    sign(payload: claims.encoded)
  }

  /// Signs a payload, whatever it says.
  func sign(payload: [UInt8]) -> String {
    let parts = [header, payload].map { Base64.encode($0, alphabet: .url, padding: false) }
    let signed = parts.joined(separator: ".")
    return signed + "." + Base64.encode(signature(of: Array(signed.utf8)), alphabet: .url, padding: false)
  }

  /// Empty if OpenSSL refuses, which no verifier takes.
  private func signature(of message: [UInt8]) -> [UInt8] {
    switch material {
    case .secret(let secret): algorithm.hash.map { HMACCode.make(message, key: secret, $0) } ?? []
    case .privateKey(let key): key.signature(of: message, algorithm) ?? []
    }
  }
}
