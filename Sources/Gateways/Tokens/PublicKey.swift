import COpenSSL

/// A public key (OpenSSL's `EVP_PKEY`), which only verifies. Never changed after it was made: any thread.
final class PublicKey: @unchecked Sendable {
  /// The least bits of an RSA key (RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used").
  static let minimumRSABits: Int32 = 2_048
  /// The most: a key of any size would make each verification as slow as its owner likes.
  static let maximumRSABits: Int32 = 8_192
  /// More than any public key or certificate has, in bytes.
  static let maximumPEMBytes = 65_536

  let kind: AsymmetricKeyKind
  private let key: OpaquePointer

  /// Takes the key over.
  private init(taking key: OpaquePointer?) throws(TokenKeyError) {
    guard let key else {
      ERR_clear_error()
      throw TokenKeyError("This is not a public key.")
    }
    do {
      kind = try AsymmetricKeyKind(of: key)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    self.key = key
  }

  convenience init(pem: [UInt8]) throws(TokenKeyError) {
    guard pem.count <= Self.maximumPEMBytes else { throw TokenKeyError("The key's text is too long.") }
    let text = String(decoding: pem, as: UTF8.self)
    guard !text.contains("PRIVATE KEY-----") else {
      throw TokenKeyError(
        "This is a private key, which the server must not have; take its public half: openssl pkey -in FILE -pubout."
      )
    }
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else {
      throw TokenKeyError("There is no memory for the key.")
    }
    defer { BIO_free(bio) }
    ERR_clear_error()
    if text.contains("-----BEGIN CERTIFICATE-----") {
      let certificate = PEM_read_bio_X509(bio, nil, refusePassword, nil)
      defer { X509_free(certificate) }
      try self.init(taking: certificate.flatMap { X509_get_pubkey($0) })
    } else {
      guard let key = PEM_read_bio_PUBKEY(bio, nil, refusePassword, nil) else {
        ERR_clear_error()
        throw TokenKeyError("This is not a public key in PEM: it needs “BEGIN PUBLIC KEY”.")
      }
      try self.init(taking: key)
    }
  }

  /// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
  convenience init(der: [UInt8]) throws(TokenKeyError) {
    ERR_clear_error()
    let key = der.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return d2i_PUBKEY(nil, &start, bytes.count)
    }
    try self.init(taking: key)
  }

  deinit { EVP_PKEY_free(key) }

  /// Whether the signature is of this key. Says no to whatever OpenSSL does not like.
  func verifies(_ signature: [UInt8], of message: [UInt8], _ algorithm: TokenAlgorithm) -> Bool {
    guard kind.algorithms.contains(algorithm), let encoded = encode(signature) else { return false }
    guard let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    guard EVP_DigestVerifyInit(context, nil, algorithm.hash?.function, nil, key) == 1 else { return false }
    return EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
  }

  /// A signature as OpenSSL wants it; nil for one of a length that the key does not make.
  private func encode(_ signature: [UInt8]) -> [UInt8]? {
    switch kind {
    case .rsa: signature.count == Int(EVP_PKEY_get_size(key)) ? signature : nil
    case .ed25519: signature.count == 64 ? signature : nil
    case .p256, .p384, .p521: kind.coordinateByteCount.flatMap { ECDSASignature.der(signature, half: $0) }
    }
  }
}

extension AsymmetricKeyKind {
  /// The kind of OpenSSL's key.
  init(of key: OpaquePointer) throws(TokenKeyError) {
    if EVP_PKEY_is_a(key, "RSA") == 1 {
      guard EVP_PKEY_get_bits(key) >= PublicKey.minimumRSABits else {
        throw TokenKeyError("The RSA key has less than 2,048 bits.")
      }
      guard EVP_PKEY_get_bits(key) <= PublicKey.maximumRSABits else {
        throw TokenKeyError("The RSA key has more than 8,192 bits.")
      }
      self = .rsa
    } else if EVP_PKEY_is_a(key, "ED25519") == 1 {
      self = .ed25519
    } else if EVP_PKEY_is_a(key, "EC") == 1, let curve = Self.curve(of: key) {
      self = curve
    } else {
      throw TokenKeyError("The key is neither RSA nor ECDSA on P-256, P-384 or P-521 nor Ed25519.")
    }
  }

  private static func curve(of key: OpaquePointer) -> AsymmetricKeyKind? {
    var name = [CChar](repeating: 0, count: 64)
    guard EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
    switch String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) {
    case "prime256v1": return .p256
    case "secp384r1": return .p384
    case "secp521r1": return .p521
    default: return nil
    }
  }
}

/// Without it OpenSSL would ask for a password on the terminal.
func refusePassword(
  _ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32, _ isWriting: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
  0
}
