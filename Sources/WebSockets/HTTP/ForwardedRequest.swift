import EventLoops
import HTTPCore
import Transport

/// Which fields the trusted proxies write. Only these are read: what a client makes up passes through a proxy that
/// writes the others.
public enum ForwardedFields: Sendable, Hashable {
  /// None: the peer is the client.
  case none
  /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
  case xForwarded
  /// `Forwarded` (RFC 7239).
  case forwarded
}

/// Who sent a request, and how, as far as trusted proxies tell.
struct ForwardedRequest: Equatable {
  /// The rightmost address that is not a trusted proxy's.
  var clientAddress: SocketAddress
  /// Whether the client sent the request by TLS.
  var isSecure: Bool
  /// The host that the client addressed, where it differs from the `Host` field.
  var host: String?

  /// What a proxy says of one hop.
  private struct Hop {
    var address: SocketAddress?
    var scheme: String?
    var host: String?
  }

  /// Believes nobody.
  init(peer: SocketAddress, isSecure: Bool) {
    (clientAddress, self.isSecure) = (peer, isSecure)
  }

  /// Takes what the fields say, as far as the options trust those who wrote it.
  mutating func believe(_ fields: HTTPFields, _ options: HTTPServerOptions) {
    guard options.forwardedFields != .none, options.trustedProxies.contain(clientAddress) else { return }
    let hops = options.forwardedFields == .forwarded ? Self.forwarded(fields) : Self.xForwarded(fields)
    // From the nearest hop outwards, as long as the one who speaks is trusted.
    for hop in hops.reversed() {
      if let scheme = hop.scheme?.lowercased() { self.isSecure = scheme == "https" || scheme == "wss" }
      if let host = hop.host { self.host = host }
      guard let address = hop.address else { return }
      clientAddress = address
      guard options.trustedProxies.contain(address) else { return }
    }
  }

  /// One hop for each address; scheme and host, which most proxies write once, belong to the nearest.
  private static func xForwarded(_ fields: HTTPFields) -> [Hop] {
    let scheme = fields.list("X-Forwarded-Proto").last
    let host = fields.list("X-Forwarded-Host").last
    var hops = fields.list("X-Forwarded-For").map { Hop(address: SocketAddress(forwardedNode: $0)) }
    if hops.isEmpty { hops.append(Hop()) }
    hops[hops.count - 1].scheme = scheme
    hops[hops.count - 1].host = host
    return hops
  }

  /// The elements of all `Forwarded` fields (RFC 7239 §4); from the last one that cannot be read on.
  private static func forwarded(_ fields: HTTPFields) -> [Hop] {
    var hops: [Hop] = []
    for element in fields.values(of: "Forwarded").flatMap({ ForwardedElement.elements(of: $0) }) {
      guard let element else {
        hops = [Hop()]
        continue
      }
      hops.append(
        Hop(
          address: element["for"].flatMap { SocketAddress(forwardedNode: $0) }, scheme: element["proto"],
          host: element["host"]))
    }
    return hops
  }
}

extension SocketAddress {
  /// Reads a node: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, and `2001:db8::1` as it stands in X-Forwarded-For. Nil
  /// for `unknown` and obfuscated names.
  init?(forwardedNode text: String) {
    if let address = SocketAddress(literal: text, port: 0) {
      self = address.unmapped
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      let address = SocketAddress(literal: String(text[..<colon]), port: port)
    else { return nil }
    // "::1:80" without brackets would be an address and a half.
    if case .ipv6 = address, !text.hasPrefix("[") { return nil }
    self = address.unmapped
  }
}
