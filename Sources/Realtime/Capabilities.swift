/// What a token, already verified, allows a client beyond what the namespace allows everybody.
public struct Allowances: OptionSet, Sendable, Hashable {
  /// The bits of the set.
  public let rawValue: UInt8

  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Subscribing.
  public static let subscribe = Allowances(rawValue: 1)
  /// Publishing over a client connection.
  public static let publish = Allowances(rawValue: 2)
  /// Reading the history over a client connection.
  public static let history = Allowances(rawValue: 4)
  /// Asking who is there.
  public static let presence = Allowances(rawValue: 8)
}

/// What is allowed in channels whose names fit one of some patterns.
public struct ChannelCapability: Sendable {
  /// How a channel is named.
  public enum Match: Sendable, Hashable {
    /// The patterns are names.
    case exact
    /// The patterns are those of ``ChannelPattern``: `*` and `?`.
    case wildcard
    /// The patterns are those of ``RegularExpression``; one that cannot be used covers nothing.
    case regularExpression
  }

  private let names: Set<String>
  private let patterns: [ChannelPattern]
  private let expressions: [RegularExpression]
  /// What is allowed there.
  public let allowances: Allowances

  /// Allows something in some channels.
  public init(channels: [String], match: Match = .exact, allowances: Allowances) {
    names = match == .exact ? Set(channels) : []
    // An empty pattern fits every name, which nobody means who writes an empty name.
    patterns = match == .wildcard ? channels.filter { !$0.isEmpty }.map { ChannelPattern($0) } : []
    expressions = match == .regularExpression ? channels.compactMap { try? RegularExpression($0) } : []
    self.allowances = allowances
  }

  func covers(_ channel: String) -> Bool {
    names.contains(channel) || patterns.contains { $0.matches(channel) }
      || expressions.contains { $0.matches(channel) }
  }
}

/// What a client's token allows it, channel by channel. The first capability that covers a channel counts, and none
/// behind it.
public struct Capabilities: Sendable {
  private let list: [ChannelCapability]

  /// Allows what the list says.
  public init(_ list: [ChannelCapability] = []) { self.list = list }

  /// Whether nothing is allowed anywhere.
  public var isEmpty: Bool { list.isEmpty }

  /// What is allowed in a channel.
  public func allowances(in channel: String) -> Allowances {
    list.first { $0.covers(channel) }?.allowances ?? []
  }
}

extension Subscriber {
  /// What the connection's token allows in a channel; costs nothing where it says nothing of channels.
  func allowances(in channel: String) -> Allowances {
    capabilities.isEmpty ? [] : capabilities.allowances(in: channel)
  }
}

/// What a token can be revoked by.
public struct TokenOrigin: Sendable, Hashable {
  /// The token's own name; empty where it has none, or there is no token.
  public var identifier: String
  /// When it was made, in seconds since 1970; 0 if it does not say.
  public var issuedAt: UInt64

  /// Describes a token; by default one that nothing is known of.
  public init(identifier: String = "", issuedAt: UInt64 = 0) {
    self.identifier = identifier
    self.issuedAt = issuedAt
  }
}
