import HTTPCore

/// Which web pages may open a WebSocket here: the check of the `Origin` field (RFC 6455 §10.2).
///
/// Only browsers send `Origin`, so a request without one passes; who the client is must be proved otherwise.
public enum OriginPolicy: Sendable, Equatable {
  /// The page must come from the host and port that the request was sent to.
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

  /// Compares as scheme, host and port: a port that is the scheme's own may be left out on either side.
  private static func isSame(origin: String, host: String) -> Bool {
    for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where origin.hasPrefix(scheme) {
      let page = origin.dropFirst(scheme.count)
      return withoutPort(page, port) == withoutPort(host[...], port)
    }
    return false
  }

  private static func withoutPort(_ authority: Substring, _ port: String) -> Substring {
    authority.hasSuffix(port) ? authority.dropLast(port.count) : authority
  }
}
