/// Hears what happens to channels. Calls come on the loop that owns the channel, in their order for each channel; they
/// must be quick, and must not call the hub.
public protocol HubObserver: AnyObject, Sendable {
  /// A channel has its first subscriber.
  func channelOccupied(_ channel: String)
  /// A channel has no subscriber any more.
  func channelVacated(_ channel: String)
  /// A client wanted the last publication of a channel that recovers that alone (``RecoveryMode/cache``), and there was
  /// none: it may be published now.
  func cacheMissed(_ channel: String)
  /// A client is in a channel whose namespace keeps presence.
  func memberAdded(_ info: ClientInfo, to channel: String)
  /// A client is not in such a channel any more.
  func memberRemoved(_ info: ClientInfo, from channel: String)
}
