import COpenSSL

/// What the two sides of a TLS connection have agreed on.
public struct TLSDescription: Sendable, Hashable {
  /// `TLSv1.2` or `TLSv1.3`.
  public let version: String
  /// The cipher suite in OpenSSL's spelling.
  public let cipher: String
  /// The application protocol (ALPN); nil if none was agreed on.
  public let applicationProtocol: String?
  /// The host that the client named (SNI).
  public let serverName: String?
  /// Whether an earlier session was resumed.
  public let isResumed: Bool
}

extension TLSSession {
  var isResumed: Bool { SSL_session_reused(ssl) == 1 }

  var description: TLSDescription {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    let chosen = UnsafeBufferPointer(start: name, count: Int(count))
    return TLSDescription(
      version: SSL_get_version(ssl).map { String(cString: $0) } ?? "",
      cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
      applicationProtocol: chosen.isEmpty ? nil : String(decoding: chosen, as: UTF8.self),
      serverName: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
      isResumed: isResumed)
  }
}
