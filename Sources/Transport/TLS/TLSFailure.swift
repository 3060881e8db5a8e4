import COpenSSL

/// What OpenSSL's error queue and verification results say, in words. Each call empties the thread's queue.
enum TLSFailure {
  /// Empties the thread's queue of errors, so that what it has next is about the next call. It is empty nearly always:
  /// looking costs a tenth of what emptying does.
  static func forget() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  static func handshake(_ role: TLSSession.Role, verification: Int, name: String) -> TransportError {
    let error = ERR_peek_error()
    defer { ERR_clear_error() }
    let peer = role == .server ? "client" : "server"
    if copenssl_error_library(error) == ERR_LIB_SSL,
      copenssl_error_reason(error) == SSL_R_CERTIFICATE_VERIFY_FAILED
    {
      return TransportError(
        .certificateRejected, "The \(peer)'s certificate \(certificateWords(verification, name: name)).")
    }
    return TransportError(.tlsFailed, "The TLS handshake failed: \(words(error, peer: peer)).")
  }

  static func reading(from role: TLSSession.Role) -> TransportError {
    defer { ERR_clear_error() }
    let peer = role == .server ? "client" : "server"
    return TransportError(.tlsFailed, "TLS broke off: \(words(ERR_peek_error(), peer: peer)).")
  }

  static var writing: TransportError {
    defer { ERR_clear_error() }
    return TransportError(.tlsFailed, "TLS could not encrypt: \(text(ERR_peek_last_error())).")
  }

  static func timedOut(_ role: TLSSession.Role) -> TransportError {
    let peer = role == .server ? "client" : "server"
    return TransportError(.timedOut, "The \(peer) did not complete the TLS handshake in time.")
  }

  static func endedInHandshake(_ role: TLSSession.Role) -> TransportError {
    let peer = role == .server ? "client" : "server"
    return TransportError(.tlsFailed, "The \(peer) ended the connection during the TLS handshake.")
  }

  static var outOfMemory: TransportError {
    TransportError(.outOfResources, "OpenSSL gave no TLS session: memory ran out.")
  }

  /// OpenSSL's own words for the oldest error of the thread, which is the root of the later ones.
  static func takeText() -> String {
    defer { ERR_clear_error() }
    return text(ERR_peek_error())
  }

  private static func words(_ error: UInt, peer: String) -> String {
    guard copenssl_error_library(error) == ERR_LIB_SSL else { return text(error) }
    let reason = copenssl_error_reason(error)
    // SSL_AD_REASON_OFFSET: what the peer's alert says.
    if reason > 1_000 {
      let alert = text(error).split(separator: " ").drop { $0 != "alert" }.dropFirst().joined(separator: " ")
      return "the \(peer) sent the alert “\(alert)” (\(reason - 1_000))"
    }
    switch reason {
    case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
      return "the \(peer) sent plain HTTP to a TLS port; use https:// or wss://"
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_BAD_RECORD_TYPE, SSL_R_UNEXPECTED_MESSAGE:
      return "the \(peer) does not speak TLS, or breaks its rules (\(text(error)))"
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE:
      return "the \(peer)'s TLS versions are not allowed here"
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the \(peer) gave no certificate, which is required"
    case SSL_R_NO_SHARED_CIPHER: return "the \(peer) has no cipher in common with us"
    case SSL_R_NO_APPLICATION_PROTOCOL: return "the \(peer) offers no application protocol (ALPN) of ours"
    default: return text(error)
    }
  }

  private static func text(_ error: UInt) -> String {
    if let reason = ERR_reason_error_string(error) { return String(cString: reason) }
    return error == 0 ? "for no reason that OpenSSL tells" : "OpenSSL error \(error)"
  }

  /// Why a certificate was not accepted; X509_V_ERR_ codes.
  private static func certificateWords(_ result: Int, name: String) -> String {
    switch Int32(truncatingIfNeeded: result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "has expired"
    case X509_V_ERR_CERT_NOT_YET_VALID: return "is not valid yet; check the clocks"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "is self-signed, or by an authority that is not trusted here"
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "has an issuer that is not known here; is its chain complete, its authority trusted?"
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: return "is not for \(name)"
    case X509_V_ERR_INVALID_PURPOSE: return "is not meant for this use"
    case X509_V_ERR_CERT_REVOKED: return "is revoked"
    case X509_V_ERR_APPLICATION_VERIFICATION: return "has a key that is not one of those pinned"
    default:
      let text = X509_verify_cert_error_string(result).map { String(cString: $0) } ?? "error \(result)"
      return "was not accepted: \(text)"
    }
  }
}
