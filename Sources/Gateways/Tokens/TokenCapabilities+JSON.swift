import JSON
import Realtime

/// How capabilities are spelled in tokens, and in a backend's answers.
extension Allowances {
  private static let spellings: [(name: String, value: Allowances)] = [
    ("sub", .subscribe), ("pub", .publish), ("hst", .history), ("prs", .presence),
  ]

  /// Reads `["sub","pub"]`; nil for what is not a list of strings. Words that are not known allow nothing.
  init?(_ value: JSONValue) {
    guard let words = value.arrayValue else { return nil }
    self = []
    for word in words {
      guard let word = word.stringValue else { return nil }
      if let known = Self.spellings.first(where: { $0.name == word }) { insert(known.value) }
    }
  }

  /// The words.
  var names: [String] { Self.spellings.filter { contains($0.value) }.map(\.name) }
}

extension TokenClaims.Capability {
  /// The most capabilities of a token, and the most channels in all of them together.
  static let maximumCount = 256

  /// Reads `caps`. Nil for what is not one, for a `match` that is not known (what it would have covered is not known
  /// either), and for one beyond the limit.
  static func list(_ value: JSONValue) -> [TokenClaims.Capability]? {
    guard let elements = value.arrayValue, elements.count <= maximumCount else { return nil }
    let capabilities = elements.compactMap { TokenClaims.Capability($0) }
    guard capabilities.count == elements.count else { return nil }
    return capabilities.reduce(0) { $0 + $1.channels.count } <= maximumCount ? capabilities : nil
  }

  private init?(_ value: JSONValue) {
    guard value.objectValue != nil, let names = value["channels"]?.arrayValue else { return nil }
    channels = names.compactMap(\.stringValue)
    guard channels.count == names.count, let allowed = Allowances(value["allow"] ?? .array([])) else {
      return nil
    }
    allowances = allowed
    switch value["match"] ?? .string("") {
    case .string(""): isWildcard = false
    case .string("wildcard"): isWildcard = true
    default: return nil
    }
  }
}

extension JSONWriter {
  /// One element of `caps`.
  mutating func write(_ capability: TokenClaims.Capability) {
    beginObject()
    key("channels")
    array(capability.channels) { json, channel in json.string(channel) }
    if capability.isWildcard { member("match", "wildcard") }
    key("allow")
    array(capability.allowances.names) { json, name in json.string(name) }
    endObject()
  }
}
