import COpenSSL

/// Which ciphers a side takes, and in what order.
///
/// What the system does not let OpenSSL use is never taken: names only choose among what a new `SSL_CTX` has.
struct TLSCiphers {
  /// Authenticated encryption with an ephemeral key exchange, nothing else (RFC 9325 §4.2). AES with 128 bits goes first:
  /// it is out of reach as 256 bits are, and with SHA-256 it takes the least work where the processor knows both.
  static let preferred = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
  ]

  private struct Cipher {
    /// As OpenSSL spells it.
    let name: String
    /// As the registry of IANA spells it.
    let standardName: String
    let isForTLS13: Bool
  }

  private let context: OpaquePointer
  private let minimumVersion: TLSVersion
  /// What the system offers, in its order.
  private let offered: [Cipher]

  /// Of a context whose ciphers are not set yet.
  init(in context: OpaquePointer, minimumVersion: TLSVersion) {
    self.context = context
    self.minimumVersion = minimumVersion
    let stack = SSL_CTX_get_ciphers(context)
    offered = (0..<max(OPENSSL_sk_num(stack), 0)).compactMap { index in
      guard let cipher = OPENSSL_sk_value(stack, index).map({ OpaquePointer($0) }),
        let name = SSL_CIPHER_get_name(cipher), let standardName = SSL_CIPHER_standard_name(cipher)
      else { return nil }
      return Cipher(
        name: String(cString: name), standardName: String(cString: standardName),
        isForTLS13: SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13)
    }
  }

  /// Only those named, in this order; without names the preferred ones.
  func take(_ names: [String]) throws(TransportError) {
    try set(names.isEmpty ? offered(of: Self.preferred) : choose(names))
  }

  /// A client is not to be choosier than the system by itself: without names all, the preferred ones first.
  func takeAsClient(_ names: [String]) throws(TransportError) {
    guard names.isEmpty else { return try take(names) }
    let first = offered(of: Self.preferred)
    let names = Set(first.map(\.name))
    try set(first + offered.filter { !names.contains($0.name) })
  }

  private func offered(of names: [String]) -> [Cipher] {
    names.compactMap { name in offered.first { $0.name == name } }
  }

  private func choose(_ names: [String]) throws(TransportError) -> [Cipher] {
    var chosen: [Cipher] = []
    for name in names {
      guard let cipher = offered.first(where: { $0.name == name || $0.standardName == name }) else {
        throw .tlsOptions("“\(name)” is not a cipher that OpenSSL offers here (openssl ciphers -s -v).")
      }
      chosen.append(cipher)
    }
    return chosen
  }

  /// A version of TLS that is left without a cipher is not spoken.
  private func set(_ ciphers: [Cipher]) throws(TransportError) {
    let new = ciphers.filter(\.isForTLS13).map(\.name)
    let old = ciphers.filter { !$0.isForTLS13 }.map(\.name)
    guard !new.isEmpty || minimumVersion == .v12 && !old.isEmpty else {
      throw .tlsOptions("None of the ciphers is for the versions of TLS that are spoken.")
    }
    if old.isEmpty { _ = copenssl_CTX_set_min_proto_version(context, TLS1_3_VERSION) }
    if new.isEmpty { _ = copenssl_CTX_set_max_proto_version(context, TLS1_2_VERSION) }
    guard SSL_CTX_set_ciphersuites(context, new.joined(separator: ":")) == 1,
      old.isEmpty || SSL_CTX_set_cipher_list(context, old.joined(separator: ":")) == 1
    else { throw .tlsOptions("OpenSSL does not take the ciphers: \(TLSFailure.takeText()).") }
  }
}
