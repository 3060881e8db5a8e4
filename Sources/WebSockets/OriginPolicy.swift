import HTTPCore

/// Which web pages may open a WebSocket here: the check of the `Origin` field (RFC 6455 §10.2).
///
/// Only browsers send `Origin`, so a request without one passes; who the client is must be proved otherwise.
public enum OriginPolicy: Sendable, Equatable {
  /// The page must come from the scheme, host and port that the request was sent to. Behind a proxy that ends TLS the
  /// page's scheme is another one: let the server trust that proxy, or list the origin.
  case sameOrigin
  /// The page's origin must be one of these, written as browsers write them: `https://example.com`, port only
  /// where it is not the scheme's own. The server's own origin is not implied.
  case list([String])
  /// Any page may connect.
  case any

  /// Whether a request with these fields may be upgraded.
  ///
  /// - Parameters:
  ///   - fields: the request's fields.
  ///   - isSecure: whether the client sent it by TLS.
  ///   - host: what the client addressed, where a trusted proxy says so; else the `Host` field counts.
  public func allows(_ fields: HTTPFields, isSecure: Bool = false, host: String? = nil) -> Bool {
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
      guard let host = host ?? fields["Host"] else { return false }
      return Self.isSame(origin: origin.lowercased(), host: host.lowercased(), isSecure: isSecure)
    }
  }

  /// Compares scheme, host and port; the scheme's own port may be left out on either side.
  private static func isSame(origin: String, host: String, isSecure: Bool) -> Bool {
    let scheme = isSecure ? "https://" : "http://"
    guard origin.hasPrefix(scheme) else { return false }
    let port = isSecure ? ":443" : ":80"
    return without(port, origin.dropFirst(scheme.count)) == without(port, host[...])
  }

  private static func without(_ port: String, _ authority: Substring) -> Substring {
    authority.hasSuffix(port) ? authority.dropLast(port.count) : authority
  }
}
