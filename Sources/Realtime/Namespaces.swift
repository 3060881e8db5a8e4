/// The namespaces of a hub: one for names without a prefix, and one for each known prefix.
public struct Namespaces: Sendable {
  /// One reference: the table is looked at for every publication, and copying its parts each time would show.
  private final class Table: Sendable {
    let unprefixed: Namespace?
    let named: [String: Namespace]

    init(unprefixed: Namespace?, named: [String: Namespace]) {
      self.unprefixed = unprefixed
      self.named = named
    }
  }

  private let table: Table

  /// Makes the table.
  ///
  /// - Parameters:
  ///   - options: The options of channels without a namespace prefix; nil when there are no such channels.
  ///   - named: The options by the prefix before the first `:`. Channels of other namespaces are unknown.
  public init(default options: NamespaceOptions? = nil, named: [String: NamespaceOptions] = [:]) {
    table = Table(unprefixed: options.map { Namespace($0) }, named: named.mapValues { Namespace($0) })
  }

  /// The options for a channel; nil when its namespace is unknown.
  public func options(for channel: ChannelName) -> NamespaceOptions? {
    namespace(for: channel)?.options
  }

  func namespace(for channel: ChannelName) -> Namespace? {
    guard let name = channel.namespace else { return table.unprefixed }
    return table.named[String(name)]
  }
}

/// Options behind a reference, so that a million channels share one copy.
final class Namespace: Sendable {
  let options: NamespaceOptions

  init(_ options: NamespaceOptions) { self.options = options }
}
