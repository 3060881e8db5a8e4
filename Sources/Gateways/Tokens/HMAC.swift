import Bytes
import COpenSSL

/// HMAC (RFC 2104) with a hash function of SHA-2, by OpenSSL.
enum HMACCode {
  /// The code; empty if OpenSSL refuses, which fits no message.
  static func make(_ message: [UInt8], key: [UInt8], _ hash: SHA2) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: hash.byteCount)
    var count: UInt32 = 0
    let done = HMAC(hash.function, key, Int32(clamping: key.count), message, message.count, &code, &count)
    return done != nil && count == hash.byteCount ? code : []
  }
}

/// The hash functions of JWT's algorithms.
enum SHA2: Sendable, Hashable {
  case sha256, sha384, sha512

  /// The bytes of a digest.
  var byteCount: Int {
    switch self {
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  /// What OpenSSL calls it.
  var function: OpaquePointer? {
    switch self {
    case .sha256: EVP_sha256()
    case .sha384: EVP_sha384()
    case .sha512: EVP_sha512()
    }
  }

  /// The digest of a text; empty if OpenSSL refuses.
  func digest(_ text: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var count: UInt32 = 0
    let done = EVP_Digest(text, text.count, &digest, &count, function, nil)
    return done == 1 && count == byteCount ? digest : []
  }
}
