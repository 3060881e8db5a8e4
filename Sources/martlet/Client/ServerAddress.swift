import HTTPCore

/// Where a server is, as `--url` says it: `ws://host:port` or `http://host:port`, with a path or without.
struct ServerAddress: Sendable, Equatable {
  let host: String
  let port: Int
  /// `host:port` for the `Host` field.
  let authority: String
  private let target: String

  static let standard = "ws://127.0.0.1:8000"

  static var kind: ValueKind<ServerAddress> {
    ValueKind(
      placeholder: "URL",
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw else { throw BadValue("is not a URL") }
        return try ServerAddress(text)
      },
      show: { "\"\($0.webSocketURL)\"" })
  }

  init(_ text: String) throws(BadValue) {
    let url: WebURL
    do {
      url = try WebURL(text, schemes: ["ws", "http", "wss", "https"])
    } catch {
      throw BadValue("is not a URL such as \(Self.standard)")
    }
    if url.isSecure { throw BadValue(Unavailable.secureURL) }
    host = url.host
    port = url.port
    authority = url.authority
    target = url.target
  }

  /// The endpoint of the client protocol, unless the URL has a path.
  var webSocketURL: String { "ws://\(authority)\(target == "/" ? "/connection/websocket" : target)" }

  /// The target of a call of the HTTP API.
  func apiTarget(_ method: String) -> String {
    (target == "/" ? "/api" : target.hasSuffix("/") ? String(target.dropLast()) : target) + "/" + method
  }
}

/// What to say about what later builds will have.
enum Unavailable {
  static let tls =
    "this build has no TLS yet; put a proxy that ends TLS (nginx, HAProxy, Caddy) in front of it"
  static let secureURL =
    "needs TLS, which this build does not have yet; use ws:// or a local proxy that adds TLS"
  static let deflate = "this build has no permessage-deflate yet"
}
