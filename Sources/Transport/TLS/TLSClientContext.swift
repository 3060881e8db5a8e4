import COpenSSL
import Synchronization

/// A client's trust and TLS settings, with the sessions it can resume; for any number of connections. Any thread.
public final class TLSClientContext: @unchecked Sendable {
  /// The settings that it was made from.
  public let options: TLSClientOptions
  let context: OpaquePointer
  let sessions = TLSSessionCache()

  /// Reads what the options name.
  ///
  /// - Throws: ``TransportError`` with the code `invalidTLSOptions`, which says what cannot be used.
  public init(_ options: TLSClientOptions = TLSClientOptions()) throws(TransportError) {
    self.options = options
    let protocols = try TLSContext.wireFormat(of: options.applicationProtocols)
    context = try TLSContext.make(TLS_client_method(), minimumVersion: options.minimumVersion)
    if let version = options.maximumVersion {
      _ = copenssl_CTX_set_max_proto_version(context, version.number)
    }
    try TLSCiphers(in: context, minimumVersion: options.minimumVersion).takeAsClient(options.ciphers)
    // Returns 0 when all is well.
    guard protocols.isEmpty || SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0
    else {
      throw TLSFailure.outOfMemory
    }
    if let certificate = options.certificate { try LoadedCertificate(certificate).use(in: context) }
    try trust(options.verification)
    guard options.resumesSessions else { return }
    _ = copenssl_CTX_set_session_cache_mode(
      context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
    SSL_CTX_sess_set_new_cb(context, keepSession)
  }

  deinit { SSL_CTX_free(context) }

  private func trust(_ verification: TLSVerification) throws(TransportError) {
    switch verification {
    case .system:
      guard SSL_CTX_set_default_verify_paths(context) == 1 else {
        throw .tlsOptions("The system's authorities cannot be read: \(TLSFailure.takeText()).")
      }
    case .authorities(let file):
      let found = try PEM.certificates(in: TLSCertificate.Source.file(file).read(as: "authorities"), file)
      found.forEach(X509_free)
      guard SSL_CTX_load_verify_file(context, file) == 1 else {
        throw .tlsOptions("OpenSSL does not take the authorities of \(file): \(TLSFailure.takeText()).")
      }
    case .pins:
      SSL_CTX_set_cert_verify_callback(context, checkPins, Unmanaged.passUnretained(self).toOpaque())
    case .none:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
      return
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
  }

  /// A session for a connection to `host`, which is a name or an IP address.
  func makeSession(host: String, port: UInt16, shared: LoopTLS) throws(TransportError) -> TLSSession {
    var host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    if host.hasSuffix(".") { host.removeLast() }
    guard
      let session = TLSSession(
        .client, context: context, owner: self, cacheKey: "\(host):\(port)", shared: shared)
    else { throw TLSFailure.outOfMemory }
    let isAddress = SocketAddress(literal: host, port: 0) != nil
    // RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"".
    var isSet = isAddress || copenssl_set_host_name(session.ssl, host) == 1
    switch options.verification {
    case .system, .authorities:
      SSL_set_hostflags(session.ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
      let named =
        isAddress
        ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.ssl), host) : SSL_set1_host(session.ssl, host)
      isSet = isSet && named == 1
    case .pins, .none: break
    }
    guard isSet, !host.isEmpty, !host.utf8.contains(0) else {
      ERR_clear_error()
      throw .tlsOptions("“\(host)” is not a host name that TLS can check.")
    }
    if options.resumesSessions { sessions.resume(session) }
    return session
  }

  /// Whether the server's own key is one of those pinned.
  fileprivate func isPinned(_ certificate: OpaquePointer) -> Bool {
    guard case .pins(let pins) = options.verification else { return false }
    var encoded: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
    guard count > 0, let encoded else { return false }
    defer { CRYPTO_free(encoded, #file, #line) }
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(encoded, Int(count), &digest)
    return pins.contains { $0.digest == digest }
  }
}

/// In place of OpenSSL's check of the chain.
private func checkPins(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let argument, let certificate = X509_STORE_CTX_get0_cert(store) else { return 0 }
  let context = Unmanaged<TLSClientContext>.fromOpaque(argument).takeUnretainedValue()
  if context.isPinned(certificate) { return 1 }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
  return 0
}

/// The server gave a ticket or session: kept for the next connection. 1: the reference is ours.
private func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
  guard let session, let connection = TLSSession.of(ssl), let context = connection.owner as? TLSClientContext
  else { return 0 }
  context.sessions.keep(session, for: connection.cacheKey)
  return 1
}

extension TLSClientContext {
  private static let maximumSharedCount = 64
  private static let shared = Mutex<[TLSClientOptions: TLSClientContext]>([:])

  /// The context of the process for these options, made at first use: what they name is read once, and connections
  /// with equal options share their sessions.
  ///
  /// - Throws: as ``init(_:)``.
  package static func shared(for options: TLSClientOptions) throws(TransportError) -> TLSClientContext {
    if let found = shared.withLock({ $0[options] }) { return found }
    let made = try TLSClientContext(options)
    shared.withLock {
      if $0.count >= maximumSharedCount { $0.removeAll() }
      $0[options] = made
    }
    return made
  }
}
