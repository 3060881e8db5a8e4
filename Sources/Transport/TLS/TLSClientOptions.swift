/// The SHA-256 of a public key (SubjectPublicKeyInfo, DER) that a server must have; see RFC 7469 §2.4 for the idea.
public struct TLSPin: Sendable, Hashable {
  /// The digest: 32 bytes.
  public let digest: [UInt8]

  /// Makes a pin; nil unless there are 32 bytes.
  public init?(_ digest: [UInt8]) {
    guard digest.count == 32 else { return nil }
    self.digest = digest
  }
}

/// How a client checks who the server is.
public enum TLSVerification: Sendable, Hashable {
  /// The chain must end at an authority that the system trusts, and the certificate must be for the host.
  case system
  /// The chain must end at an authority of this file (PEM), and the certificate must be for the host.
  case authorities(file: String)
  /// The server's own certificate must have one of these keys. Its chain, names and dates do not matter: the key says
  /// who it is.
  case pins([TLSPin])
  /// Not at all: anybody on the way can read and change everything. For tests.
  case none
}

/// How a client speaks TLS.
public struct TLSClientOptions: Sendable, Hashable {
  /// How the server is checked. Default: by the system's authorities.
  public var verification: TLSVerification
  /// The client's own certificate, for servers that ask for one.
  public var certificate: TLSCertificate?
  /// The oldest version spoken. Default TLS 1.2.
  public var minimumVersion: TLSVersion
  /// The newest version spoken; nil for the newest there is. For tests.
  package var maximumVersion: TLSVersion?
  /// The ciphers that are offered, the preferred one first, as OpenSSL or IANA spells them; those of TLS 1.3 and 1.2
  /// together. Only what the system's OpenSSL offers may be named. A version of TLS that none is for is not spoken.
  /// Default: all that the system offers.
  public var ciphers: [String]
  /// Application protocols (ALPN, RFC 7301) to offer, the preferred one first; 1 to 255 bytes each. Default `http/1.1`.
  public var applicationProtocols: [String]
  /// Whether sessions are kept, so that the next connection to the same host and port is made with less work. Default true.
  public var resumesSessions: Bool

  /// Makes options with the defaults.
  public init(
    verification: TLSVerification = .system, certificate: TLSCertificate? = nil,
    minimumVersion: TLSVersion = .v12, ciphers: [String] = [],
    applicationProtocols: [String] = ["http/1.1"], resumesSessions: Bool = true
  ) {
    self.verification = verification
    self.certificate = certificate
    self.minimumVersion = minimumVersion
    self.ciphers = ciphers
    self.applicationProtocols = applicationProtocols
    self.resumesSessions = resumesSessions
  }
}
