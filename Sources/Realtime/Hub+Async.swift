import EventLoops

/// The server's operations for callers that are not on a loop: from any task, as the server.
extension Hub {
  /// Publishes to a channel; see `publish(_:to:as:done:)`.
  @discardableResult
  public func publish(_ request: PublishRequest, to channel: String) async throws(HubError) -> StreamPosition
  {
    try await onOwner(of: channel) { $0.publish(request, to: channel, as: .server, done: $1) }.get()
  }

  /// Reads a part of a channel's history; see `history(of:_:as:done:)`.
  public func history(of channel: String, _ query: HistoryQuery) async throws(HubError) -> HistoryPage {
    try await onOwner(of: channel) { $0.history(of: channel, query, as: .server, done: $1) }.get()
  }

  /// Who is subscribed to a channel; see `presence(of:as:done:)`.
  public func presence(of channel: String) async throws(HubError) -> [ClientInfo] {
    try await onOwner(of: channel) { $0.presence(of: channel, as: .server, done: $1) }.get()
  }

  /// The channels with subscribers; see `channels(_:done:)`.
  public func channels(_ pattern: ChannelPattern) async -> [ChannelSummary] {
    await onOwner(of: "") { $0.channels(pattern, done: $1) }
  }

  /// What the hub holds and has done; see `counters(done:)`.
  public func counters() async -> HubCounters {
    await onOwner(of: "") { $0.counters(done: $1) }
  }

  /// Disconnects clients; see `disconnect(_:code:reason:done:)`.
  @discardableResult
  public func disconnect(_ selection: ClientSelection, code: UInt32, reason: String) async -> Int {
    await onOwner(of: "") { $0.disconnect(selection, code: code, reason: reason, done: $1) }
  }

  /// Disconnects every client; see `disconnectAll(code:reason:done:)`.
  @discardableResult
  public func disconnectAll(code: UInt32, reason: String) async -> Int {
    await onOwner(of: "") { $0.disconnectAll(code: code, reason: reason, done: $1) }
  }

  /// Makes the call on the loop that has the least way to go.
  private func onOwner<Value: Sendable>(
    of name: String, _ call: @escaping @Sendable (Hub, @escaping (Value) -> Void) -> Void
  ) async -> Value {
    await withCheckedContinuation { continuation in
      loops[owner(of: name)].execute { call(self) { continuation.resume(returning: $0) } }
    }
  }
}
