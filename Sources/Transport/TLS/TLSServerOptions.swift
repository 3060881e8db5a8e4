import COpenSSL

/// A version of TLS. Older ones than 1.2 are not spoken (RFC 8996).
public enum TLSVersion: Sendable, Hashable, Comparable {
  /// TLS 1.2 (RFC 5246).
  case v12
  /// TLS 1.3 (RFC 8446).
  case v13

  var number: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// Whether a server asks its clients for certificates (mutual TLS).
public enum TLSClientCertificates: Sendable, Hashable {
  /// It does not.
  case notAsked
  /// It asks; a client without one is served, one with a certificate that no authority of the file (PEM) has issued
  /// is not.
  case optional(authoritiesFile: String)
  /// Only clients with a certificate that an authority of the file (PEM) has issued are served.
  case required(authoritiesFile: String)

  var authoritiesFile: String? {
    switch self {
    case .notAsked: nil
    case .optional(let file), .required(let file): file
    }
  }
}

/// How a server speaks TLS.
public struct TLSServerOptions: Sendable {
  /// The certificates, at least one. A client that names a host (SNI, RFC 6066 §3) gets the first certificate that has
  /// that name, else one with a wildcard for it, else the first of all.
  public var certificates: [TLSCertificate]
  /// The oldest version spoken. Default TLS 1.2.
  public var minimumVersion: TLSVersion
  /// The ciphers that are taken, the preferred one first, as OpenSSL or IANA spells them; those of TLS 1.3 and 1.2
  /// together. Only what the system's OpenSSL offers may be named. A version of TLS that none is for is not spoken. A
  /// client that prefers ChaCha20 to everything gets it, if it is among them. Default: those of docs/tls.md.
  public var ciphers: [String]
  /// Application protocols (ALPN, RFC 7301), the preferred one first; 1 to 255 bytes each. A client that offers some,
  /// but none of these, is refused. Default `http/1.1`; an empty list ignores what clients offer.
  public var applicationProtocols: [String]
  /// Whether clients are asked for certificates. Default: they are not.
  public var clientCertificates: TLSClientCertificates
  /// Whether clients get tickets with which they come back sooner (RFC 8446 §2.2, RFC 5077). Default true. The server
  /// keeps nothing for them; their keys change at each reload.
  public var issuesTickets: Bool
  /// Time for a handshake in milliseconds. Default 10 s.
  public var handshakeTimeoutMilliseconds: UInt64
  /// Handshakes under way on one loop; further connections are cut. Default 256.
  public var maximumHandshakesPerLoop: Int

  /// Makes options with the defaults of docs/limits.md.
  public init(
    certificates: [TLSCertificate], minimumVersion: TLSVersion = .v12, ciphers: [String] = [],
    applicationProtocols: [String] = ["http/1.1"], clientCertificates: TLSClientCertificates = .notAsked,
    issuesTickets: Bool = true, handshakeTimeoutMilliseconds: UInt64 = 10_000,
    maximumHandshakesPerLoop: Int = 256
  ) {
    self.certificates = certificates
    self.minimumVersion = minimumVersion
    self.ciphers = ciphers
    self.applicationProtocols = applicationProtocols
    self.clientCertificates = clientCertificates
    self.issuesTickets = issuesTickets
    self.handshakeTimeoutMilliseconds = handshakeTimeoutMilliseconds
    self.maximumHandshakesPerLoop = maximumHandshakesPerLoop
  }
}
