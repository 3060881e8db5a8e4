/// The namespaces of a hub: one for names without a prefix, and one for each known prefix.
public struct Namespaces: Sendable {
  /// The options of channels without a namespace prefix; nil when there are no such channels.
  public let defaultOptions: NamespaceOptions?
  private let namespaces: [String: Namespace]
  private let defaultNamespace: Namespace?

  /// Makes the table. Channels of a namespace that is not in it are unknown channels.
  public init(default options: NamespaceOptions? = nil, named: [String: NamespaceOptions] = [:]) {
    defaultOptions = options
    defaultNamespace = options.map { Namespace($0) }
    namespaces = named.mapValues { Namespace($0) }
  }

  /// The options for a channel; nil when its namespace is unknown.
  public func options(for channel: ChannelName) -> NamespaceOptions? {
    namespace(for: channel)?.options
  }

  func namespace(for channel: ChannelName) -> Namespace? {
    guard let name = channel.namespace else { return defaultNamespace }
    return namespaces[String(name)]
  }
}

/// Options behind a reference, so that a million channels share one copy.
final class Namespace: Sendable {
  let options: NamespaceOptions

  init(_ options: NamespaceOptions) { self.options = options }
}
