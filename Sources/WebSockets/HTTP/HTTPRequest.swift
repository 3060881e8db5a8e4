import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// A request, as a server's routes see it.
public struct HTTPRequest: Sendable {
  /// The request's method, target and fields.
  public let head: HTTPRequestHead
  /// The body, whole.
  public let body: [UInt8]
  /// The address of the peer: the client, or the HTTP proxy that it came through.
  public let peerAddress: SocketAddress
  /// The address of the client, as far as trusted proxies tell.
  public let clientAddress: SocketAddress
  /// Whether the client sent the request by TLS, to this server or to a trusted proxy.
  public let isSecure: Bool
  /// The certificate that the client has proved to hold, where the server asks for one.
  public let clientCertificate: TLSPeerCertificate?
  /// What the path says in the places of its route's parameters, decoded.
  public internal(set) var parameters: [String: String] = [:]

  /// What the exchange was asked.
  public init(_ exchange: HTTPExchange) {
    head = exchange.head
    body = exchange.body
    peerAddress = exchange.peerAddress
    clientAddress = exchange.clientAddress
    isSecure = exchange.isSecure
    clientCertificate = exchange.clientCertificate
  }

  /// The path of the target, percent-encoding left as it came.
  public var path: String { head.path }
  /// The query of the target, without the question mark.
  public var query: String? { head.query }
  /// The items of the query, decoded; items that cannot be decoded are left out.
  public var queryItems: [(name: String, value: String)] {
    query.map(PercentEncoding.queryItems) ?? []
  }
  /// The subprotocols that a WebSocket client offers, in its order of preference.
  public var subprotocols: [String] { OpeningHandshake.subprotocols(offered: head) }

  /// The cookies by their names (RFC 6265 §5.4), values as they were sent; the first of each name.
  public var cookies: [String: String] { Self.cookies(in: head.fields) }

  static func cookies(in fields: HTTPFields) -> [String: String] {
    var cookies: [String: String] = [:]
    // By bytes: to a Character, a delimiter belongs to a combining mark behind it.
    for value in fields.values(of: "Cookie") {
      for pair in value.utf8.split(separator: UInt8(ascii: ";")) {
        let trimmed = pair.drop { $0 == UInt8(ascii: " ") }
        guard let equals = trimmed.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let name = String(Substring(trimmed[..<equals]))
        guard cookies[name] == nil else { continue }
        cookies[name] = String(Substring(trimmed[trimmed.index(after: equals)...]))
      }
    }
    return cookies
  }
}
