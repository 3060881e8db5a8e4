import HTTPCore

/// Origins of web pages as browsers write them (RFC 6454 §6.2).
enum WebOrigin {
  private static let defaultPorts = ["http": "80", "https": "443"]

  /// Whether a browser could send this: `scheme://host`, with a port that is not the scheme's own; `null`; or `file://`,
  /// as some applications with pages of their own do.
  static func isOne(_ text: String) -> Bool {
    if text == "null" || text.lowercased() == "file://" { return true }
    guard let (scheme, authority) = parts(text), isScheme(scheme) else { return false }
    guard let (host, port) = hostAndPort(authority), isHost(host) else { return false }
    guard let port else { return true }
    return isPort(port) && defaultPorts[scheme.lowercased()] != port
  }

  /// What was meant, where that is plain.
  static func suggestion(for text: String) -> String? {
    let written = parts(text)
    let authority = (written?.rest ?? text[...]).prefix { !"/?#".contains($0) }
    guard let (host, port) = hostAndPort(authority) else { return nil }
    let scheme = written?.scheme ?? (isOwnMachine(host) ? "http" : "https")
    let isImplied = port.map { $0.isEmpty || $0 == defaultPorts[scheme.lowercased()] } ?? true
    let origin = "\(scheme)://\(host)" + (isImplied ? "" : ":\(port ?? "")")
    return isOne(origin) ? origin : nil
  }

  private static func parts(_ text: String) -> (scheme: Substring, rest: Substring)? {
    guard let mark = text.firstRange(of: "://") else { return nil }
    return (text[..<mark.lowerBound], text[mark.upperBound...])
  }

  /// Where pages under development come from, without TLS.
  private static func isOwnMachine(_ host: Substring) -> Bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(host.lowercased())
  }

  /// The colons of an IPv6 address stand in brackets.
  private static func hostAndPort(_ text: Substring) -> (host: Substring, port: String?)? {
    let end =
      text.hasPrefix("[")
      ? text.firstIndex(of: "]").map { text.index(after: $0) } : text.firstIndex(of: ":") ?? text.endIndex
    guard let end else { return nil }
    let rest = text[end...]
    if rest.isEmpty { return (text, nil) }
    return rest.hasPrefix(":") ? (text[..<end], String(rest.dropFirst())) : nil
  }

  private static func isScheme(_ text: Substring) -> Bool {
    text.first?.isLetter == true && text.utf8.allSatisfy { isAlphanumeric($0) || "+-.".utf8.contains($0) }
  }

  /// Letters outside of ASCII are sent as `xn--…`, and a `*` within a name is no pattern.
  private static func isHost(_ text: Substring) -> Bool {
    let inner = text.hasPrefix("[") ? text.dropFirst().dropLast() : text
    let others = text.hasPrefix("[") ? ":." : "-._~!$&'()+,;=%"
    return !inner.isEmpty && inner.utf8.allSatisfy { isAlphanumeric($0) || others.utf8.contains($0) }
  }

  private static func isPort(_ text: String) -> Bool {
    guard let number = UInt16(text) else { return false }
    return number > 0 && text == String(number)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    ASCII.isDigit(byte) || ASCII.isLetter(byte)
  }
}
