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
  /// The size of all regular expressions of a token together: each channel that a client names is held against them.
  static let maximumInstructions = 1_024

  /// Reads `caps`. Nil for what is not one, for a `match` that is not known (what it would have covered is not known
  /// either), and for one beyond the limit.
  static func list(_ value: JSONValue) -> [TokenClaims.Capability]? {
    guard let elements = value.arrayValue, elements.count <= maximumCount else { return nil }
    let capabilities = elements.compactMap { TokenClaims.Capability($0) }
    guard capabilities.count == elements.count else { return nil }
    guard capabilities.reduce(0, { $0 + $1.channels.count }) <= maximumCount else { return nil }
    return areUsable(capabilities.flatMap { $0.match == .regularExpression ? $0.channels : [] })
      ? capabilities : nil
  }

  private static func areUsable(_ expressions: [String]) -> Bool {
    var left = maximumInstructions
    for text in expressions {
      guard let expression = try? RegularExpression(text, maximumInstructions: left) else { return false }
      left -= expression.instructionCount
    }
    return true
  }

  /// What keeps regular expressions from being used, for the log; nil if nothing does.
  static func complaint(_ value: JSONValue) -> String? {
    for capability in value.arrayValue?.prefix(maximumCount) ?? []
    where capability["match"] == .string("regex") {
      for text in (capability["channels"]?.arrayValue ?? []).prefix(maximumCount).compactMap(\.stringValue) {
        do {
          _ = try RegularExpression(text, maximumInstructions: maximumInstructions)
        } catch {
          return "the regular expression \(text) in caps cannot be used: \(error)"
        }
      }
    }
    return nil
  }

  private init?(_ value: JSONValue) {
    guard value.objectValue != nil, let names = value["channels"]?.arrayValue else { return nil }
    channels = names.compactMap(\.stringValue)
    guard channels.count == names.count, let allowed = Allowances(value["allow"] ?? .array([])) else {
      return nil
    }
    allowances = allowed
    switch value["match"] ?? .string("") {
    case .string(""), .string("exact"): match = .exact
    case .string("wildcard"): match = .wildcard
    case .string("regex"): match = .regularExpression
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
    switch capability.match {
    case .exact: break
    case .wildcard: member("match", "wildcard")
    case .regularExpression: member("match", "regex")
    }
    key("allow")
    array(capability.allowances.names) { json, name in json.string(name) }
    endObject()
  }
}
