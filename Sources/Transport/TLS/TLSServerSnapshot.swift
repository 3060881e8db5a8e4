import COpenSSL

/// A server's certificates and settings as OpenSSL has them, at one moment; never changed. Any thread: an `SSL_CTX` that
/// is not changed may be shared.
final class TLSServerSnapshot: @unchecked Sendable {
  /// One for each certificate, the default first.
  private var contexts: [OpaquePointer] = []
  private var exactNames: [String: OpaquePointer] = [:]
  /// By what follows the asterisk: `.example.com`.
  private var wildcards: [String: OpaquePointer] = [:]
  /// The application protocols as they are on the wire. In memory that stays in place: OpenSSL keeps pointers into it.
  private let protocols: UnsafeMutableBufferPointer<UInt8>

  init(_ options: TLSServerOptions) throws(TransportError) {
    let protocols = try TLSContext.wireFormat(of: options.applicationProtocols)
    self.protocols = .allocate(capacity: protocols.count)
    _ = self.protocols.initialize(from: protocols)
    guard !options.certificates.isEmpty else { throw .tlsOptions("TLS needs a certificate.") }
    for certificate in options.certificates {
      let loaded = try LoadedCertificate(certificate)
      let context = try TLSContext.make(TLS_server_method(), minimumVersion: options.minimumVersion)
      contexts.append(context)
      try loaded.use(in: context)
      try configure(context, options)
      for name in loaded.names { add(name, context) }
    }
  }

  deinit {
    contexts.forEach(SSL_CTX_free)
    protocols.deallocate()
  }

  /// The context that sessions begin with.
  var first: OpaquePointer { contexts[0] }

  private func add(_ name: String, _ context: OpaquePointer) {
    if name.hasPrefix("*.") {
      let suffix = String(name.dropFirst())
      if wildcards[suffix] == nil { wildcards[suffix] = context }
    } else if exactNames[name] == nil {
      exactNames[name] = context
    }
  }

  private func configure(_ context: OpaquePointer, _ options: TLSServerOptions) throws(TransportError) {
    // Tickets carry the session; a cache here would grow with the clients.
    _ = copenssl_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    try TLSCiphers(in: context, minimumVersion: options.minimumVersion).take(options.ciphers)
    _ = SSL_CTX_set_num_tickets(context, options.issuesTickets ? 1 : 0)
    if !options.issuesTickets { _ = SSL_CTX_set_options(context, copenssl_OP_NO_TICKET) }
    let name = Array("martlet".utf8)
    _ = SSL_CTX_set_session_id_context(context, name, UInt32(name.count))
    let pointer = Unmanaged.passUnretained(self).toOpaque()
    copenssl_CTX_set_servername_callback(context, chooseCertificate, pointer)
    if !protocols.isEmpty { SSL_CTX_set_alpn_select_cb(context, chooseProtocol, pointer) }
    try ask(context, for: options.clientCertificates)
  }

  private func ask(
    _ context: OpaquePointer, for certificates: TLSClientCertificates
  ) throws(TransportError) {
    guard let file = certificates.authoritiesFile else { return }
    // Read here first for its better words.
    _ = try PEM.certificates(in: TLSCertificate.Source.file(file).read(as: "authorities"), file)
      .map(X509_free)
    ERR_clear_error()
    guard SSL_CTX_load_verify_file(context, file) == 1, let list = SSL_load_client_CA_file(file) else {
      throw .tlsOptions("OpenSSL does not take the authorities of \(file): \(TLSFailure.takeText()).")
    }
    SSL_CTX_set_client_CA_list(context, list)
    var mode = SSL_VERIFY_PEER
    if case .required = certificates { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
    SSL_CTX_set_verify(context, mode, nil)
  }

  fileprivate func context(for name: String) -> OpaquePointer? {
    let name = name.lowercased()
    if let found = exactNames[name] { return found }
    guard let dot = name.firstIndex(of: ".") else { return nil }
    return wildcards[String(name[dot...])]
  }

  fileprivate func choose(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>, _ count: UnsafeMutablePointer<UInt8>,
    among offered: UnsafePointer<UInt8>, _ offeredCount: UInt32
  ) -> Int32 {
    var out: UnsafeMutablePointer<UInt8>?
    let result = SSL_select_next_proto(
      &out, count, protocols.baseAddress, UInt32(protocols.count), offered, offeredCount)
    guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    chosen.pointee = UnsafePointer(out)
    return SSL_TLSEXT_ERR_OK
  }
}

/// RFC 6066 §3: the client says which host it means.
private func chooseCertificate(
  _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
    return SSL_TLSEXT_ERR_NOACK
  }
  let snapshot = Unmanaged<TLSServerSnapshot>.fromOpaque(argument).takeUnretainedValue()
  guard let context = snapshot.context(for: String(cString: name)) else { return SSL_TLSEXT_ERR_NOACK }
  SSL_set_SSL_CTX(ssl, context)
  return SSL_TLSEXT_ERR_OK
}

private func chooseProtocol(
  _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ count: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
  _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let argument, let chosen, let count, let offered else { return SSL_TLSEXT_ERR_NOACK }
  return Unmanaged<TLSServerSnapshot>.fromOpaque(argument).takeUnretainedValue()
    .choose(chosen, count, among: offered, offeredCount)
}
