import Transport
import WebSockets

/// Flags of the commands that listen.
enum ListeningFlags {
  static let host = Flag(
    "host", .text("HOST"), default: "127.0.0.1",
    help: "address or name to listen on; 0.0.0.0 means every network; unix:/path is a Unix socket")
  static let proxyProtocol = Flag(
    "proxy-protocol", ValueKind<ProxyProtocolSetting>.proxyProtocol, default: "off",
    help: "whether connections begin with the PROXY protocol's header; only trusted proxies are believed")
  static let trustedProxy = Flag(
    "trusted-proxy", ValueKind<AddressRange>.addressRange, repeatable: true,
    help: "believe what proxies in this range (10.0.0.0/8, ::1, unix) say of their clients")
}

extension ValueKind where Value == ProxyProtocolSetting {
  private static var names: [(name: String, value: ProxyProtocolSetting)] {
    [("off", .off), ("optional", .optional), ("required", .required)]
  }

  static var proxyProtocol: ValueKind {
    ValueKind(
      placeholder: "off|optional|required",
      read: { (raw) throws(BadValue) in
        let text = try ValueKind<String>.text("").read(raw)
        guard let found = names.first(where: { $0.name == text }) else {
          throw BadValue("is neither off nor optional nor required")
        }
        return found.value
      },
      show: { value in
        JSON5Value.string(names.first { $0.value == value }?.name ?? "off").description
      })
  }
}

extension ValueKind where Value == AddressRange {
  static var addressRange: ValueKind {
    ValueKind(
      placeholder: "RANGE",
      read: { (raw) throws(BadValue) in try range(try ValueKind<String>.text("").read(raw)) },
      show: { JSON5Value.string($0.description).description })
  }

  fileprivate static func range(_ text: String) throws(BadValue) -> AddressRange {
    guard let range = AddressRange(text) else {
      throw BadValue("is not a range of addresses such as 10.0.0.0/8, fd00::/8, 127.0.0.1 or unix")
    }
    return range
  }
}

extension ValueKind where Value == [AddressRange] {
  static var addressRanges: ValueKind {
    ValueKind(
      placeholder: "RANGE,…",
      read: { (raw) throws(BadValue) in
        var ranges: [AddressRange] = []
        for text in try ValueKind<[String]>.list("").read(raw) {
          ranges.append(try ValueKind<AddressRange>.range(text))
        }
        return ranges
      },
      show: { ValueKind<[String]>.list("").show($0.map(\.description)) })
  }
}
