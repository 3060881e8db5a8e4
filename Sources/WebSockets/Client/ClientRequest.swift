import Bytes
import HTTPCore
import WebSocketCore

/// A client's request for a WebSocket: where to, and with which fields.
struct ClientRequest {
  let url: WebURL
  let key: String
  let head: HTTPRequestHead

  /// - Throws: `invalidURL` or `invalidOptions`, in words.
  init(to text: String, options: WebSocketClientOptions) throws(WebSocketError) {
    do {
      url = try WebURL(text)
    } catch {
      throw WebSocketError(.invalidURL, "\(error)", cause: error)
    }
    guard !url.isSecure else {
      let message = "wss:// is not supported yet: connect through a proxy that ends TLS, or use ws://."
      throw WebSocketError(.invalidURL, message)
    }
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce.withUnsafeMutableBytes { SecureRandom.fill($0) }
    key = Base64.encode(nonce)
    head = OpeningHandshake.request(
      url: url, key: key, subprotocols: options.subprotocols, origin: options.origin, fields: options.fields)
  }
}
