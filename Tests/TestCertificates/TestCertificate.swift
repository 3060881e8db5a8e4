import COpenSSL

/// A certificate and its key, made for a test: no private key is kept in the repository.
public struct TestCertificate: @unchecked Sendable {
  /// PEM text.
  public let certificate: [UInt8]
  /// PEM text, not encrypted.
  public let key: [UInt8]
  /// SHA-256 of the public key (SubjectPublicKeyInfo).
  public let pin: [UInt8]
  private let parts: Parts

  private final class Parts {
    let certificate: OpaquePointer
    let key: OpaquePointer

    init(_ certificate: OpaquePointer, _ key: OpaquePointer) {
      self.certificate = certificate
      self.key = key
    }

    deinit {
      X509_free(certificate)
      EVP_PKEY_free(key)
    }
  }

  /// Makes one.
  ///
  /// - Parameters:
  ///   - name: the subject's common name.
  ///   - alternatives: subject alternative names as OpenSSL writes them: `DNS:a.example`, `IP:127.0.0.1`.
  ///   - issuer: who signs; nil for a self-signed certificate.
  ///   - isAuthority: whether it may sign others.
  ///   - days: from when until when it is valid, counted from now.
  ///   - isRSA: whether the key is one of RSA, with 2,048 bits, rather than of P-256.
  public init(
    _ name: String, _ alternatives: [String] = [], issuer: TestCertificate? = nil, isAuthority: Bool = false,
    days: ClosedRange<Int> = -1...365, isRSA: Bool = false
  ) {
    let key = Self.makeKey(isRSA ? EVP_PKEY_RSA : EVP_PKEY_EC)
    let certificate = X509_new()
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...(1 << 62)))
    X509_gmtime_adj(X509_getm_notBefore(certificate), days.lowerBound * 86_400)
    X509_gmtime_adj(X509_getm_notAfter(certificate), days.upperBound * 86_400)
    X509_set_pubkey(certificate, key)
    let subject = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0)
    X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0.parts.certificate) } ?? subject)
    Self.extend(certificate, NID_basic_constraints, isAuthority ? "critical,CA:TRUE" : "CA:FALSE")
    if !alternatives.isEmpty {
      Self.extend(certificate, NID_subject_alt_name, alternatives.joined(separator: ","))
    }
    guard let certificate, let key else { fatalError("out of memory") }
    X509_sign(certificate, issuer?.parts.key ?? key, EVP_sha256())
    parts = Parts(certificate, key)
    self.certificate = Self.text { PEM_write_bio_X509($0, certificate) }
    self.key = Self.text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    pin = Self.pin(of: certificate)
  }

  /// Its key in PEM, encrypted with a password.
  public var encryptedKey: [UInt8] {
    Self.text {
      PEM_write_bio_PrivateKey($0, parts.key, EVP_aes_128_cbc(), Array("secret".utf8), 6, nil, nil)
    }
  }

  private static func makeKey(_ kind: Int32) -> OpaquePointer? {
    let context = EVP_PKEY_CTX_new_id(kind, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    EVP_PKEY_keygen_init(context)
    if kind == EVP_PKEY_EC { EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) }
    EVP_PKEY_keygen(context, &key)
    return key
  }

  private static func extend(_ certificate: OpaquePointer?, _ kind: Int32, _ value: String) {
    guard let found = X509V3_EXT_conf_nid(nil, nil, kind, value) else { fatalError("bad extension \(value)") }
    X509_add_ext(certificate, found, -1)
    X509_EXTENSION_free(found)
  }

  private static func text(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
    let bio = BIO_new(BIO_s_mem())
    defer { BIO_free(bio) }
    guard write(bio) == 1 else { fatalError("PEM could not be written") }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = BIO_read(bio, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(count)))
  }

  private static func pin(of certificate: OpaquePointer) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(encoded, Int(count), &digest)
    CRYPTO_free(encoded, nil, 0)
    return digest
  }
}
