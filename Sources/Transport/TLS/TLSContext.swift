import COpenSSL

/// What every `SSL_CTX` of the house is set to.
enum TLSContext {
  /// - Throws: ``TransportError`` when memory ran out.
  static func make(_ method: OpaquePointer?, minimumVersion: TLSVersion) throws(TransportError)
    -> OpaquePointer
  {
    guard let context = SSL_CTX_new(method) else { throw TLSFailure.outOfMemory }
    _ = SSL_CTX_set_options(
      context,
      // Compression leaks secrets (CRIME); renegotiation lets a client make the server work without end.
      copenssl_OP_NO_COMPRESSION | copenssl_OP_NO_RENEGOTIATION | copenssl_OP_CIPHER_SERVER_PREFERENCE
        | copenssl_OP_PRIORITIZE_CHACHA)
    _ = copenssl_CTX_set_mode(context, copenssl_MODE_ACCEPT_MOVING_WRITE_BUFFER)
    _ = copenssl_CTX_set_min_proto_version(context, minimumVersion.number)
    return context
  }

  /// RFC 7301 §3.1: each protocol behind its length.
  static func wireFormat(of protocols: [String]) throws(TransportError) -> [UInt8] {
    var bytes: [UInt8] = []
    for name in protocols {
      let name = Array(name.utf8)
      guard let count = UInt8(exactly: name.count), count > 0 else {
        throw .tlsOptions("An application protocol (ALPN) has 1 to 255 bytes.")
      }
      bytes += [count] + name
    }
    guard bytes.count <= Int(UInt16.max) else {
      throw .tlsOptions("There are too many application protocols.")
    }
    return bytes
  }
}
