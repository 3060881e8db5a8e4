import Bytes
import HTTPCore

/// The keys that open the server API. Without a key it is closed to everybody, unless it is said to be open.
struct APIKeys: Sendable {
  private let keys: [[UInt8]]
  private let isOpen: Bool

  init(_ keys: [String], isOpen: Bool = false) {
    self.keys = keys.filter { !$0.isEmpty }.map { Array($0.utf8) }
    self.isOpen = isOpen
  }

  var isEmpty: Bool { keys.isEmpty }

  /// Whether the request carries one of the keys: `X-API-Key: K` or `Authorization: apikey K`. Takes the same
  /// time for every wrong key of the same length.
  ///
  /// An open API takes requests without a key, too, but none of a web page (they have an `Origin`): any page that somebody
  /// looks at beside the server could publish.
  func admit(_ fields: HTTPFields) -> Bool {
    if isOpen, fields["Origin"] == nil { return true }
    guard let offered = Self.offered(in: fields) else { return false }
    let bytes = Array(offered.utf8)
    var isKnown = false
    for key in keys where ConstantTime.equal(key, bytes) { isKnown = true }
    return isKnown
  }

  private static func offered(in fields: HTTPFields) -> String? {
    if let key = fields["X-API-Key"] { return key }
    guard let authorization = fields["Authorization"] else { return nil }
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "apikey" else { return nil }
    return String(parts[1])
  }
}
