/// What a client takes and what it has already.
public enum ContentNegotiation {
  /// Whether gzip may be sent (RFC 9110 §12.5.3): it is listed, or `*` is, with a weight above zero.
  public static func acceptsGzip(_ fields: HTTPFields) -> Bool {
    var byName: Bool?
    var byStar: Bool?
    for item in fields.list("Accept-Encoding") {
      let parts = item.split(separator: ";").map {
        String(decoding: ASCII.trimmed($0.utf8), as: UTF8.self).lowercased()
      }
      guard let coding = parts.first else { continue }
      let isWanted = parts.dropFirst().allSatisfy { !isZeroWeight($0) }
      switch coding {
      case "gzip", "x-gzip": byName = isWanted
      case "*": byStar = isWanted
      default: break
      }
    }
    return byName ?? byStar ?? false
  }

  private static func isZeroWeight(_ parameter: String) -> Bool {
    guard parameter.hasPrefix("q=") else { return false }
    return parameter.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
  }

  /// Whether the client has this representation already (RFC 9110 §13.1.2): `If-None-Match` names it or is `*`; tags
  /// compare weakly.
  public static func matches(etag: String, ifNoneMatch fields: HTTPFields) -> Bool {
    fields.list("If-None-Match").contains { $0 == "*" || opaque($0) == opaque(etag) }
  }

  private static func opaque(_ tag: String) -> Substring {
    tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
  }
}
