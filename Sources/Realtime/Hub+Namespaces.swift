import EventLoops

extension Hub {
  /// The rules of a channel; nil when its namespace is unknown. On a loop of the hub.
  public func options(of channel: ChannelName) -> NamespaceOptions? { here.namespaces.options(for: channel) }

  /// Makes these the rules, on each loop as soon as it comes to it. Any thread.
  ///
  /// Subscriptions that are there keep what they were given. A channel goes by the new rules from the next subscribe or
  /// publish on; one whose namespace is gone takes neither any more.
  public func use(_ namespaces: Namespaces) {
    for shard in shards { shard.loop.execute { shard.namespaces = namespaces } }
  }

  /// The limits of the hub as a whole. On one of the hub's loops.
  public var limits: HubLimits { here.limits }

  /// Limits what comes from now on by these; what is there already stays. Any thread.
  public func use(_ limits: HubLimits) {
    for shard in shards { shard.loop.execute { shard.limits = limits } }
  }
}
