import COpenSSL

/// A private key (OpenSSL's `EVP_PKEY`), which signs. Never changed after it was made: any thread.
final class PrivateKey: @unchecked Sendable {
  let kind: AsymmetricKeyKind
  private let key: OpaquePointer

  /// Reads a key in PEM (`BEGIN PRIVATE KEY`), not encrypted.
  init(pem: [UInt8]) throws(TokenKeyError) {
    guard pem.count <= PublicKey.maximumPEMBytes else { throw TokenKeyError("The key's text is too long.") }
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else {
      throw TokenKeyError("There is no memory for the key.")
    }
    defer { BIO_free(bio) }
    ERR_clear_error()
    guard let key = PEM_read_bio_PrivateKey(bio, nil, refusePassword, nil) else {
      ERR_clear_error()
      let isEncrypted = String(decoding: pem, as: UTF8.self).contains("ENCRYPTED")
      throw TokenKeyError(
        isEncrypted
          ? "The key is encrypted; decrypt it (openssl pkey -in … -out …) and protect the file."
          : "This is not a private key in PEM: it needs “BEGIN PRIVATE KEY”.")
    }
    do {
      kind = try AsymmetricKeyKind(of: key)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }

  /// The signature as a token carries it; nil if OpenSSL refuses.
  func signature(of message: [UInt8], _ algorithm: TokenAlgorithm) -> [UInt8]? {
    guard kind.algorithms.contains(algorithm), let context = EVP_MD_CTX_new() else { return nil }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    guard EVP_DigestSignInit(context, nil, algorithm.hash?.function, nil, key) == 1 else { return nil }
    var count = 0
    guard EVP_DigestSign(context, nil, &count, message, message.count) == 1 else { return nil }
    var signature = [UInt8](repeating: 0, count: count)
    guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else { return nil }
    signature.removeLast(signature.count - count)
    guard let half = kind.coordinateByteCount else { return signature }
    return ECDSASignature.raw(signature, half: half)
  }
}
