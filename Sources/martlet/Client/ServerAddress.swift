import HTTPCore
import Transport

/// Where a server is, as `--url` says it: `ws://host:port` or `http://host:port`, `wss` or `https` with TLS, with a path or
/// without.
struct ServerAddress: Sendable, Equatable {
  let host: String
  let port: Int
  /// `host:port` for the `Host` field.
  let authority: String
  let isSecure: Bool
  /// How the server is checked.
  var tls = TLSClientOptions()
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
    host = url.host
    port = url.port
    authority = url.authority
    isSecure = url.isSecure
    target = url.target
  }

  /// The endpoint of the client protocol, unless the URL has a path.
  var webSocketURL: String {
    "\(isSecure ? "wss" : "ws")://\(authority)\(target == "/" ? "/connection/websocket" : target)"
  }

  /// The URL of a call of the HTTP API.
  func apiURL(_ method: String) -> String {
    "\(isSecure ? "https" : "http")://\(authority)\(apiTarget(method))"
  }

  /// The target of a call of the HTTP API.
  func apiTarget(_ method: String) -> String {
    (target == "/" ? "/api" : target.hasSuffix("/") ? String(target.dropLast()) : target) + "/" + method
  }
}
