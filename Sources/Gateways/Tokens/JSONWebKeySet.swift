import Bytes
import JSON

/// Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2).
enum JSONWebKeySet {
  /// The most keys of a set that are taken; the rest is passed over.
  static let maximumKeyCount = 100

  /// The keys of a set that can verify tokens. Others are passed over (RFC 7517 §5): of another kind or for another
  /// use, too weak, or secret, which has no place in what everybody can read.
  ///
  /// - Throws: for what is not a set at all.
  static func keys(of text: [UInt8]) throws(TokenKeyError) -> [TokenKey] {
    guard let set = try? JSONValue(parsing: text, maximumDepth: 16), let keys = set["keys"]?.arrayValue else {
      throw TokenKeyError("This is not a JSON Web Key Set: it needs “keys”, a list.")
    }
    return Array(keys.lazy.compactMap { key(of: $0) }.prefix(maximumKeyCount))
  }

  private static func key(of value: JSONValue) -> TokenKey? {
    if let use = value["use"], use != .string("sig") { return nil }
    if let operations = value["key_ops"]?.arrayValue, !operations.contains(.string("verify")) { return nil }
    var algorithms: Set<TokenAlgorithm>?
    if let name = value["alg"] {
      guard let algorithm = name.stringValue.flatMap(TokenAlgorithm.init) else { return nil }
      algorithms = [algorithm]
    }
    let identifier = value["kid"]?.stringValue
    guard identifier?.utf8.count ?? 0 <= TokenHeader.maximumIdentifierBytes else { return nil }
    guard let der = subjectPublicKeyInfo(of: value) else { return nil }
    do {
      return try TokenKey(PublicKey(der: der), algorithms, identifier)
    } catch {
      return nil
    }
  }

  private static func subjectPublicKeyInfo(of key: JSONValue) -> [UInt8]? {
    switch (key["kty"]?.stringValue, key["crv"]?.stringValue) {
    case ("RSA", _):
      guard let modulus = bytes(key["n"]), let exponent = bytes(key["e"]) else { return nil }
      let content = DER.sequence([DER.integer(modulus), DER.integer(exponent)])
      return DER.sequence([ObjectIdentifier.rsa, DER.bitString(content)])
    case ("EC", "P-256"): return point(of: key, 32, ObjectIdentifier.p256)
    case ("EC", "P-384"): return point(of: key, 48, ObjectIdentifier.p384)
    case ("EC", "P-521"): return point(of: key, 66, ObjectIdentifier.p521)
    case ("OKP", "Ed25519"):
      guard let x = bytes(key["x"]), x.count == 32 else { return nil }
      return DER.sequence([ObjectIdentifier.ed25519, DER.bitString(x)])
    default: return nil
    }
  }

  /// An uncompressed point (SEC 1 §2.3.3); OpenSSL checks that it is on the curve.
  private static func point(of key: JSONValue, _ count: Int, _ curve: [UInt8]) -> [UInt8]? {
    guard let x = bytes(key["x"]), let y = bytes(key["y"]), x.count == count, y.count == count else {
      return nil
    }
    return DER.sequence([curve, DER.bitString([4] + x + y)])
  }

  private static func bytes(_ value: JSONValue?) -> [UInt8]? {
    guard let text = value?.stringValue else { return nil }
    return Base64.decode(text, alphabet: .url, padding: false)
  }

  /// AlgorithmIdentifiers (RFC 3279 §2.3, RFC 5480 §2.1, RFC 8410 §3).
  private enum ObjectIdentifier {
    /// 1.2.840.113549.1.1.1, with its NULL.
    static let rsa = DER.sequence([
      DER.element(6, [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]), DER.element(5, []),
    ])
    /// 1.2.840.10045.2.1
    private static let ellipticCurve = DER.element(6, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01])
    /// 1.2.840.10045.3.1.7
    static let p256 = DER.sequence([
      ellipticCurve, DER.element(6, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]),
    ])
    /// 1.3.132.0.34
    static let p384 = DER.sequence([ellipticCurve, DER.element(6, [0x2B, 0x81, 0x04, 0x00, 0x22])])
    /// 1.3.132.0.35
    static let p521 = DER.sequence([ellipticCurve, DER.element(6, [0x2B, 0x81, 0x04, 0x00, 0x23])])
    /// 1.3.101.112
    static let ed25519 = DER.sequence([DER.element(6, [0x2B, 0x65, 0x70])])
  }
}
