/// Who may do what in which channel. This is the only place that decides it; every client operation of the
/// hub asks here, and the server's own operations (`Authority.server`) are the only ones that do not.
public enum Permissions {
  /// What a client wants to do.
  public enum Action: Sendable, CaseIterable {
    case subscribe, publish, readHistory, readPresence

    /// What of a token allows it.
    var allowance: Allowances {
      switch self {
      case .subscribe: .subscribe
      case .publish: .publish
      case .readHistory: .history
      case .readPresence: .presence
      }
    }
  }

  /// What is known of the client that asks.
  public struct Caller: Sendable {
    /// The user's identifier; empty for an anonymous client.
    public var user: String
    /// Whether a token, already verified, grants this very channel.
    public var isGranted: Bool
    /// Whether the client is subscribed to the channel now.
    public var isSubscribed: Bool
    /// What tokens, already verified, allow the client in this channel.
    public var allowances: Allowances

    /// Describes a caller.
    public init(
      user: String, isGranted: Bool = false, isSubscribed: Bool = false, allowances: Allowances = []
    ) {
      self.user = user
      self.isGranted = isGranted
      self.isSubscribed = isSubscribed
      self.allowances = allowances
    }
  }

  /// Nil when `caller` may do it; else why not. `options` is nil for an unknown namespace.
  public static func refusal(
    of action: Action, in channel: ChannelName, options: NamespaceOptions?, caller: Caller
  ) -> HubError? {
    guard let options else { return .unknownChannel }
    // A token widens what the namespace allows; it never narrows it.
    if caller.allowances.contains(action.allowance) { return nil }
    let allowed =
      switch action {
      case .subscribe: maySubscribe(caller, channel, options)
      case .publish: isIn(options.publish, caller, channel)
      case .readHistory: isIn(options.history, caller, channel)
      case .readPresence: isIn(options.presence, caller, channel)
      }
    return allowed ? nil : .permissionDenied
  }

  private static func maySubscribe(
    _ caller: Caller, _ channel: ChannelName, _ options: NamespaceOptions
  ) -> Bool {
    if caller.isGranted { return true }
    if channel.isPrivate { return false }
    // A list of users is exclusive: the namespace's wider rule does not open such a channel to others.
    if channel.isUserLimited { return options.allowsUserLimitedChannels && channel.lists(user: caller.user) }
    return options.subscribe.contains(caller.user.isEmpty ? .anonymous : .authenticated)
  }

  private static func isIn(_ audience: Audience, _ caller: Caller, _ channel: ChannelName) -> Bool {
    if audience.contains(.subscribers), caller.isSubscribed { return true }
    // Who could not enter a restricted channel learns and says nothing in it either, unless a token let it
    // in.
    let isRestricted = channel.isPrivate || channel.isUserLimited
    if isRestricted, !caller.isSubscribed, !caller.isGranted, !channel.lists(user: caller.user) {
      return false
    }
    return audience.contains(caller.user.isEmpty ? .anonymous : .authenticated)
  }
}
