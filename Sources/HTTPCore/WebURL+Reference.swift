extension WebURL {
  /// Resolves a reference against this URL, as a redirect's `Location` (RFC 3986 §5.2). A fragment is left out.
  ///
  /// - Parameters:
  ///   - reference: `https://host/path`, `//host/path`, `/path`, `path`, `?query`.
  ///   - schemes: those that the result may have.
  /// - Throws: what is wrong with it, in words.
  public func resolving(
    _ reference: String, schemes: [String] = ["ws", "wss", "http", "https"]
  ) throws(WebURLError) -> WebURL {
    let reference = reference.prefix { $0 != "#" }
    if Self.hasScheme(reference) { return try WebURL(String(reference), schemes: schemes) }
    if reference.hasPrefix("//") { return try WebURL(scheme + ":" + reference, schemes: schemes) }
    let own = userInfo.map { "\(scheme)://\($0)@\(authority)" } ?? "\(scheme)://\(authority)"
    return try WebURL(own + target(of: reference), schemes: schemes)
  }

  /// Whether both have the same scheme (`ws` and `http` are the same here), host and port (RFC 6454 §4).
  public func isSameOrigin(as other: WebURL) -> Bool {
    isSecure == other.isSecure && host.lowercased() == other.host.lowercased() && port == other.port
  }

  /// The same URL with `ws` for `http` and `wss` for `https`.
  public var asWebSocketURL: WebURL {
    var url = self
    url.scheme = isSecure ? "wss" : "ws"
    return url
  }

  /// The same URL with another `user:password`, percent-encoded.
  package func with(userInfo: String?) -> WebURL {
    var url = self
    url.userInfo = userInfo
    return url
  }

  /// RFC 3986 §3.1.
  private static func hasScheme(_ reference: Substring) -> Bool {
    guard let colon = reference.utf8.firstIndex(of: ASCII.colon) else { return false }
    let scheme = reference.utf8[..<colon]
    return scheme.first.map(ASCII.isLetter) == true
      && scheme.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) }
  }

  private func target(of reference: Substring) -> String {
    if reference.isEmpty { return target }
    let base = target.prefix { $0 != "?" }
    if reference.hasPrefix("?") { return String(base) + reference }
    let path = reference.prefix { $0 != "?" }
    let query = reference[path.endIndex...]
    // §5.2.3: the reference takes the place of what stands behind the base's last slash.
    let merged: String =
      path.hasPrefix("/")
      ? String(path) : String(base[...(base.lastIndex(of: "/") ?? base.startIndex)]) + path
    return Self.withoutDotSegments(merged) + query
  }

  /// §5.2.4, for a path that begins with a slash.
  private static func withoutDotSegments(_ path: String) -> String {
    var kept: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch segment {
      case "..":
        _ = kept.popLast()
        if isLast { kept.append("") }
      case ".":
        if isLast { kept.append("") }
      default:
        kept.append(segment)
      }
    }
    return "/" + kept.joined(separator: "/")
  }
}
