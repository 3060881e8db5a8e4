import Bytes

/// Who a client is, as others may see it: in presence, in joins and leaves, and beside what it publishes.
public final class ClientInfo: Sendable {
  let name: ClientName
  /// The user's identifier; empty for an anonymous client.
  public let user: String
  /// What the connection's token says of the user; opaque to the hub.
  public let connectionInfo: SharedBytes?
  /// What the subscription's token says of the user in this channel; opaque to the hub.
  public let channelInfo: SharedBytes?

  /// The connection's identifier, unique in the hub.
  public var client: String { name.text }

  /// Describes a client.
  public init(
    client: String, user: String, connectionInfo: SharedBytes? = nil, channelInfo: SharedBytes? = nil
  ) {
    name = ClientName(client)
    self.user = user
    self.connectionInfo = connectionInfo
    self.channelInfo = channelInfo
  }

  /// A client of whom nothing else is known.
  init(_ name: ClientName) {
    self.name = name
    user = ""
    connectionInfo = nil
    channelInfo = nil
  }

  var isNameOnly: Bool { user.isEmpty && connectionInfo == nil && channelInfo == nil }

  /// The same client, of whom something else is said.
  init(_ client: ClientInfo, connectionInfo: SharedBytes?, channelInfo: SharedBytes?) {
    name = client.name
    user = client.user
    self.connectionInfo = connectionInfo
    self.channelInfo = channelInfo
  }
}
