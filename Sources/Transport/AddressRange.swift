import EventLoops

/// A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3), or the Unix sockets of this machine: who is
/// trusted.
public struct AddressRange: Sendable, Hashable {
  private enum Family: Hashable {
    case ipv4
    case ipv6
    case unix
  }

  private let family: Family
  /// The first address, as the upper and lower half of 128 bits; IPv4 stands in the upper 32.
  private let high: UInt64
  private let low: UInt64
  /// 0...32 or 0...128.
  private let prefixLength: Int

  /// Every peer that comes over a Unix socket.
  public static let unix = AddressRange(family: .unix, high: 0, low: 0, prefixLength: 0)

  private init(family: Family, high: UInt64, low: UInt64, prefixLength: Int) {
    self.family = family
    self.high = high & Self.mask(prefixLength)
    self.low = low & Self.mask(prefixLength - 64)
    self.prefixLength = prefixLength
  }

  /// Reads `10.0.0.0/8`, `fd00::/8`, a single address, or `unix`; nil for anything else. Bits behind the prefix do not
  /// matter.
  public init?(_ text: String) {
    if text == "unix" {
      self = .unix
      return
    }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = SocketAddress(literal: String(first), port: 0) else {
      return nil
    }
    let (family, high, low, bits) = Self.parts(of: address)
    var length = bits
    if parts.count == 2 {
      // Digits only: Int reads a sign, too.
      guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]),
        (0...bits).contains(number)
      else { return nil }
      length = number
    }
    // Addresses are compared as what they stand for: a range of mapped ones is one of IPv4.
    if case .ipv4(let mapped, _) = address.unmapped, family == .ipv6, length >= 96 {
      self.init(family: .ipv4, high: UInt64(mapped) << 32, low: 0, prefixLength: length - 96)
      return
    }
    self.init(family: family, high: high, low: low, prefixLength: length)
  }

  /// Whether the address is in the range. An IPv4 address that came over IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
  public func contains(_ address: SocketAddress) -> Bool {
    let (family, high, low, _) = Self.parts(of: address.unmapped)
    return family == self.family && high & Self.mask(prefixLength) == self.high
      && low & Self.mask(prefixLength - 64) == self.low
  }

  private static func parts(of address: SocketAddress) -> (Family, UInt64, UInt64, bits: Int) {
    switch address {
    case .ipv4(let bits, _): (.ipv4, UInt64(bits) << 32, 0, 32)
    case .ipv6(let high, let low, _, _): (.ipv6, high, low, 128)
    case .unix: (.unix, 0, 0, 0)
    }
  }

  /// The first `count` of 64 bits; none below 0, all above 64.
  private static func mask(_ count: Int) -> UInt64 {
    count <= 0 ? 0 : count >= 64 ? .max : ~(UInt64.max >> UInt64(count))
  }
}

extension AddressRange: CustomStringConvertible {
  /// `10.0.0.0/8`, `fd00::/8` or `unix`.
  public var description: String {
    switch family {
    case .ipv4: "\(SocketAddress.ipv4(UInt32(truncatingIfNeeded: high >> 32), port: 0).host)/\(prefixLength)"
    case .ipv6: "\(SocketAddress.ipv6(high, low, scope: 0, port: 0).host)/\(prefixLength)"
    case .unix: "unix"
    }
  }
}

extension [AddressRange] {
  /// Whether any of the ranges has the address.
  public func contain(_ address: SocketAddress) -> Bool { contains { $0.contains(address) } }
}

extension SocketAddress {
  /// The IPv4 address that an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) stands for; any other as it is.
  package var unmapped: SocketAddress {
    guard case .ipv6(0, let low, _, let port) = self, low >> 32 == 0xFFFF else { return self }
    return .ipv4(UInt32(truncatingIfNeeded: low), port: port)
  }
}
