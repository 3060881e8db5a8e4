import HTTPCore

/// A proxy and how to speak to it, as its URL says: `http://user:password@host:port`, `socks5://host`.
struct ProxyServer: Hashable, Sendable, CustomStringConvertible {
  enum Kind: Hashable, Sendable {
    /// CONNECT over TCP.
    case http
    /// CONNECT over TLS.
    case https
    case socks5
  }

  let kind: Kind
  /// A name or an address; IPv6 without brackets.
  let host: String
  let port: UInt16
  /// Nil where the URL has none.
  let user: String?
  let password: String

  /// Reads a proxy's URL; a text without scheme, as `proxy:3128`, is an HTTP proxy's.
  ///
  /// - Throws: what is wrong with it, without its password.
  init(_ text: String) throws(WebSocketError) {
    let url: WebURL
    do {
      url = try WebURL(
        text.contains("://") ? text : "http://" + text,
        schemes: ["http", "https", "socks5", "socks5h", "socks"])
    } catch {
      throw WebSocketError(.invalidProxy, "The proxy's URL cannot be used: \(error)", cause: error)
    }
    switch url.scheme {
    case "http": kind = .http
    case "https": kind = .https
    default: kind = .socks5
    }
    host = url.host
    port = UInt16(clamping: url.port)
    guard let userInfo = url.userInfo else {
      (user, password) = (nil, "")
      return
    }
    guard let parts = BasicCredentials.split(userInfo: userInfo) else {
      throw WebSocketError(
        .invalidProxy, "The user name or password of the proxy's URL is not percent-encoded UTF-8.")
    }
    (user, password) = parts
    if kind != .socks5, BasicCredentials(user: parts.user, password: parts.password) == nil {
      throw WebSocketError(
        .invalidProxy,
        "The user name of the proxy's URL has a colon, or it or the password has a control character.")
    }
  }

  /// The proxy's URL without user name and password.
  var description: String {
    let scheme =
      switch kind {
      case .http: "http"
      case .https: "https"
      case .socks5: "socks5"
      }
    return "\(scheme)://\(ProxyDestination(host: host, port: port).authority)"
  }
}
