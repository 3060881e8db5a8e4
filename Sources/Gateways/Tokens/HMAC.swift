import COpenSSL

/// HMAC-SHA256 (RFC 2104), by OpenSSL.
enum HMACSHA256 {
  /// The 32 bytes of the code; empty if OpenSSL refuses, which fits no message.
  static func code(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    let done = HMAC(EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &code, &count)
    return done != nil && count == 32 ? code : []
  }
}
