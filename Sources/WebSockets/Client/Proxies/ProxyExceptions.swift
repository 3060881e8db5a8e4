import Transport

/// The hosts that are connected to directly: what `NO_PROXY` lists, separated by commas or blanks.
///
/// An entry is `*` for all, a name for itself and the names below it (`example.org`, also written `.example.org` or
/// `*.example.org`), an address, or a network (`10.0.0.0/8`, `fd00::/8`). A name or an address may have a port:
/// `example.org:8080`, `[::1]:8080`.
struct ProxyExceptions {
  private enum Entry {
    case all
    case name(Substring, port: Int?)
    case network(AddressBits, prefixLength: Int, port: Int?)
  }

  private let entries: [Entry]

  init(_ text: String) {
    entries = text.lowercased().split { $0 == "," || $0.isWhitespace }.compactMap(Self.entry)
  }

  /// Whether a host is among them.
  func contains(host: String, port: Int) -> Bool {
    let name = Self.withoutFinalDot(host.lowercased()[...])
    let address = AddressBits(host)
    return entries.contains { entry in
      switch entry {
      case .all: true
      case .name(let suffix, let wanted):
        (wanted == nil || wanted == port) && address == nil
          && (name == suffix || name.hasSuffix("." + suffix))
      case .network(let network, let length, let wanted):
        (wanted == nil || wanted == port) && address.map { network.matches($0, prefixLength: length) } == true
      }
    }
  }

  /// Whether a host is this machine itself.
  static func isLoopback(_ host: String) -> Bool {
    if let address = AddressBits(host) { return address.isLoopback }
    let name = withoutFinalDot(host.lowercased()[...])
    return name == "localhost" || name.hasSuffix(".localhost")
  }

  /// Nil for what cannot be understood, which then excepts nothing.
  private static func entry(_ text: Substring) -> Entry? {
    if text == "*" { return .all }
    if let slash = text.firstIndex(of: "/") {
      guard let network = AddressBits(String(text[..<slash])),
        let length = Int(text[text.index(after: slash)...]), (0...network.bitCount).contains(length)
      else { return nil }
      return .network(network, prefixLength: length, port: nil)
    }
    if let address = AddressBits(String(text)) {
      return .network(address, prefixLength: address.bitCount, port: nil)
    }
    var (host, port) = (text, Int?.none)
    if let colon = text.lastIndex(of: ":") {
      guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else {
        return nil
      }
      (host, port) = (text[..<colon], number)
    }
    if let address = AddressBits(String(host)) {
      return .network(address, prefixLength: address.bitCount, port: port)
    }
    let name = withoutFinalDot(
      host.hasPrefix("*.") ? host.dropFirst(2) : host.hasPrefix(".") ? host.dropFirst() : host)
    return name.isEmpty ? nil : .name(name, port: port)
  }

  private static func withoutFinalDot(_ name: Substring) -> Substring {
    name.hasSuffix(".") ? name.dropLast() : name
  }
}

/// An address as bits, IPv4 within IPv6 taken for what it is (RFC 4291 §2.5.5.2).
private struct AddressBits {
  /// The address at the right end; IPv4 in the lowest 32 bits.
  private let bits: UInt128
  let bitCount: Int

  init?(_ text: String) {
    switch SocketAddress(literal: text, port: 0) {
    case .ipv4(let bits, _):
      (self.bits, bitCount) = (UInt128(bits), 32)
    case .ipv6(0, let low, _, _) where low >> 32 == 0xFFFF:
      (bits, bitCount) = (UInt128(low & 0xFFFF_FFFF), 32)
    case .ipv6(let high, let low, _, _):
      (bits, bitCount) = (UInt128(high) << 64 | UInt128(low), 128)
    case .unix, nil:
      return nil
    }
  }

  var isLoopback: Bool { bitCount == 32 ? bits >> 24 == 127 : bits == 1 }

  /// Whether an address has the same first bits.
  func matches(_ other: AddressBits, prefixLength: Int) -> Bool {
    bitCount == other.bitCount && (bits ^ other.bits) >> (bitCount - prefixLength) == 0
  }
}
