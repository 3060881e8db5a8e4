import EventLoops

/// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, all of which one customer has.
enum CountedAddress: Sendable {
  /// Not known, or a Unix socket.
  case none
  case ipv4(UInt32)
  case ipv6(network: UInt64)

  /// Empty where it is not known.
  var text: String {
    switch self {
    case .none: ""
    case .ipv4(let bits): SocketAddress.ipv4(bits, port: 0).host
    case .ipv6(let network): String(network, radix: 16)
    }
  }
}

extension SocketAddress {
  /// What the address counts as.
  var counted: CountedAddress {
    switch self {
    case .ipv4(let bits, _): .ipv4(bits)
    case .ipv6(let network, _, _, _): .ipv6(network: network)
    case .unix: .none
    }
  }
}
