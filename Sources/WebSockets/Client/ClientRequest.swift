import Bytes
import HTTPCore
import WebSocketCore

/// A client's request for a WebSocket: where to, and with which fields.
struct ClientRequest {
  let url: WebURL
  let key: String
  let head: HTTPRequestHead
  /// Whether `Authorization`, cookies and the like may be sent: not to another origin than the first.
  let isTrusted: Bool
  /// URLs that have redirected to this one, the first first.
  let redirectedFrom: [WebURL]

  /// The first request.
  ///
  /// - Parameter key: 16 random bytes in Base64; fresh ones if nil.
  /// - Throws: `invalidURL` or `invalidOptions`, in words.
  init(to text: String, options: WebSocketClientOptions, key: String? = nil) throws(WebSocketError) {
    let url: WebURL
    do {
      url = try WebURL(text)
    } catch {
      throw WebSocketError(.invalidURL, "\(error)", cause: error)
    }
    if let userInfo = url.userInfo, BasicCredentials(userInfo: userInfo) == nil {
      let message =
        "The user name or password of the URL has characters that Basic authentication cannot have."
      throw WebSocketError(.invalidURL, message)
    }
    try options.checkFields()
    try self.init(url: url, options: options, key: key, isTrusted: true, redirectedFrom: [])
  }

  private init(
    url: WebURL, options: WebSocketClientOptions, key: String? = nil, isTrusted: Bool,
    redirectedFrom: [WebURL]
  ) throws(WebSocketError) {
    self.url = url
    self.isTrusted = isTrusted
    self.redirectedFrom = redirectedFrom
    let key = key ?? Self.freshKey()
    self.key = key
    var fields = options.fields
    if isTrusted {
      // RFC 6265 §5.4: "the user agent MUST NOT attach more than one Cookie header field".
      let cookies = fields.values(of: "Cookie") + options.cookies.map { "\($0.name)=\($0.value)" }
      if !cookies.isEmpty { fields.set("Cookie", cookies.joined(separator: "; ")) }
    } else {
      for name in Self.trustedFields { fields.remove(name) }
    }
    head = OpeningHandshake.request(
      url: url, key: key, subprotocols: options.subprotocols, compression: options.socket.compression,
      origin: options.origin, fields: fields)
  }

  private static func freshKey() -> String {
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce.withUnsafeMutableBytes { SecureRandom.fill($0) }
    return Base64.encode(nonce)
  }

  /// What is meant for the first origin only.
  private static let trustedFields = [
    "Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization", "WWW-Authenticate",
  ]

  /// The request that follows a redirect.
  ///
  /// - Throws: why the redirect is not followed.
  func redirected(
    by response: HTTPResponseHead, to location: String, options: WebSocketClientOptions
  ) throws(WebSocketError) -> ClientRequest {
    func refusal(_ reason: String) -> WebSocketError {
      WebSocketError(.redirectRefused, reason, refusedBy: response)
    }
    guard redirectedFrom.count < options.maximumRedirects else {
      throw refusal(
        "The server redirects once more, to “\(location)”, after \(redirectedFrom.count) redirects.")
    }
    var next: WebURL
    do {
      next = try url.resolving(location).asWebSocketURL
    } catch {
      throw refusal("The server redirects to a URL that cannot be used: \(error)")
    }
    guard next.isSecure || !url.isSecure else {
      throw refusal("The server redirects from wss:// to \(next), which is not encrypted.")
    }
    let passed = redirectedFrom + [url]
    guard !passed.contains(where: { $0.description == next.description }) else {
      throw refusal("The server redirects in a circle, back to \(next).")
    }
    let isTrusted = isTrusted && next.isSameOrigin(as: url)
    if isTrusted, next.userInfo == nil { next = next.with(userInfo: url.userInfo) }
    return try ClientRequest(url: next, options: options, isTrusted: isTrusted, redirectedFrom: passed)
  }
}

extension HTTPResponseHead {
  /// Where a redirect leads that a WebSocket's client may follow (RFC 9110 §15.4); nil for other responses.
  var redirectLocation: String? {
    switch status.code {
    case 301, 302, 303, 307, 308: fields["Location"]
    default: nil
    }
  }
}
