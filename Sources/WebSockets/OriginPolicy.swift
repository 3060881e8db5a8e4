import HTTPCore

/// Which web pages may open a WebSocket here: the check of the `Origin` field (RFC 6455 §10.2).
///
/// Only browsers send `Origin`, so a request without one passes; who the client is must be proved otherwise.
public enum OriginPolicy: Sendable, Equatable {
  /// The page must come from the scheme, host and port that the request was sent to. Behind a proxy that ends TLS the
  /// page's scheme is another one: list its origin there.
  case sameOrigin
  /// The page's origin must be one of these, written as browsers write them: `https://example.com`, port only
  /// where it is not the scheme's own. The server's own origin is not implied.
  case list([String])
  /// Any page may connect.
  case any

  /// Whether a request with these fields may be upgraded.
  public func allows(_ fields: HTTPFields) -> Bool {
    let origins = fields.values(of: "Origin")
    guard let origin = origins.first else { return true }
    guard origins.count == 1 else { return false }
    // Browsers write origins in ASCII (RFC 6454 §6.2). Other letters are no match, though case folding and Swift's
    // equality of texts take some of them for ASCII ones.
    guard self == .any || origin.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
    switch self {
    case .any:
      return true
    case .list(let allowed):
      return allowed.contains { $0.lowercased() == origin.lowercased() }
    case .sameOrigin:
      guard let host = fields["Host"] else { return false }
      return Self.isSame(origin: origin.lowercased(), host: host.lowercased())
    }
  }

  /// Compares scheme, host and port; connections without TLS have the scheme `http`, whose own port may be left out on
  /// either side.
  private static func isSame(origin: String, host: String) -> Bool {
    let scheme = "http://"
    guard origin.hasPrefix(scheme) else { return false }
    return withoutPort(origin.dropFirst(scheme.count)) == withoutPort(host[...])
  }

  private static func withoutPort(_ authority: Substring) -> Substring {
    authority.hasSuffix(":80") ? authority.dropLast(3) : authority
  }
}
