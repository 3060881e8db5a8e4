/// A `ws`, `wss`, `http` or `https` URL (RFC 3986, RFC 6455 §3), or a proxy's, as far as a client needs it.
public struct WebURL: Hashable, Sendable, CustomStringConvertible {
  /// In lower case: `ws`, `wss`, `http`, `https`, or a proxy's `socks5`, `socks5h`, `socks`.
  public internal(set) var scheme: String
  /// `user:password`, percent-encoded as it was; nil if there is none.
  public internal(set) var userInfo: String?
  /// A name or an address; an IPv6 address without its brackets.
  public let host: String
  /// The port, the scheme's own if none is given.
  public let port: Int
  /// Path and query as they go into a request; begins with `/`.
  public let target: String

  /// Whether TLS is asked for.
  public var isSecure: Bool { scheme == "wss" || scheme == "https" }

  /// Parses a URL.
  ///
  /// - Parameters:
  ///   - text: the URL, with its scheme.
  ///   - schemes: those that are taken.
  /// - Throws: what is wrong with it, in words for its user.
  public init(_ text: String, schemes: [String] = ["ws", "wss"]) throws(WebURLError) {
    let whole = text
    let text = Self.withoutUserInfo(whole)
    guard whole.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw WebURLError("“\(text)” has spaces or characters that must be percent-encoded.")
    }
    guard let separator = whole.firstRange(of: "://") else {
      throw WebURLError("“\(text)” has no scheme; write it as \(schemes[0])://host[:port]/path.")
    }
    let scheme = whole[..<separator.lowerBound].lowercased()
    guard schemes.contains(scheme) else {
      let wanted = schemes.map { "\($0)://" }.joined(separator: " or ")
      throw WebURLError("“\(text)” begins with \(scheme)://; it must begin with \(wanted).")
    }
    // RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used".
    guard !whole.contains("#") else {
      throw WebURLError("“\(text)” has a fragment (#…), which no server is sent.")
    }
    let rest = whole[separator.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let target = rest[authority.endIndex...]
    self.scheme = scheme
    self.target = target.hasPrefix("/") ? String(target) : "/" + target
    let at = authority.lastIndex(of: "@")
    userInfo = at.map { String(authority[..<$0]) }
    // A backslash there is a path's beginning for some readers, a second @ is the host's for others.
    guard !(userInfo ?? "").contains(where: { "[]\\\"<>^`{|}@".contains($0) }) else {
      throw WebURLError("“\(text)” has characters before @ that must be percent-encoded.")
    }
    let hostAndPort = at.map { authority[authority.index(after: $0)...] } ?? authority
    let (host, port) = try Self.split(hostAndPort, text)
    self.host = host
    self.port = port ?? Self.standardPort(of: scheme)
  }

  /// RFC 6455 §3, RFC 9110 §4.2, RFC 1928 §3.
  private static func standardPort(of scheme: String) -> Int {
    switch scheme {
    case "wss", "https": 443
    case "socks5", "socks5h", "socks": 1_080
    default: 80
    }
  }

  /// The text without what may be a password: error messages go to logs.
  private static func withoutUserInfo(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    return start < at ? text[..<start] + "…" + text[at...] : text
  }

  private static func split(
    _ authority: Substring, _ text: String
  ) throws(WebURLError) -> (host: String, port: Int?) {
    var host = authority
    var port: Substring = ""
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else {
        throw WebURLError("“\(text)” has no ] behind its address.")
      }
      host = authority[authority.index(after: authority.startIndex)..<end]
      guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." || $0 == "%" })
      else {
        throw WebURLError("“\(host)” is not an IPv6 address.")
      }
      port = authority[authority.index(after: end)...]
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      port = authority[colon...]
    }
    guard !host.isEmpty else { throw WebURLError("“\(text)” has no host.") }
    guard !host.contains(where: { "[]\\\"<>^`{|},;".contains($0) }) else {
      throw WebURLError("“\(host)” is not a host name.")
    }
    guard !port.isEmpty else { return (String(host), nil) }
    guard port.first == ":", let number = ASCII.decimal(port.dropFirst().utf8), (1...65_535).contains(number)
    else {
      throw WebURLError("“\(text)” has no valid port; ports go from 1 to 65535.")
    }
    return (String(host), Int(number))
  }

  /// Host and port as a `Host` field has them: the port is left out where it is the scheme's own.
  public var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == Self.standardPort(of: scheme) ? name : "\(name):\(port)"
  }

  /// The URL without its user information.
  public var description: String { "\(scheme)://\(authority)\(target)" }
}

/// Why a text is not a URL that can be used.
public struct WebURLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}
