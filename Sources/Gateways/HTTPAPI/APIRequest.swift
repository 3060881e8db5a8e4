import Bytes
import Realtime

/// A call of the server API, decoded. `centrifugal.dev/docs/server/server_api` describes the methods.
enum APIRequest: Sendable {
  case publish(PublishRequest, channel: String)
  case broadcast(PublishRequest, channels: [String])
  case subscribe(ClientSelection, channel: String, options: SubscribeOptions, data: SharedBytes?)
  case unsubscribe(ClientSelection, channel: String)
  case disconnect(ClientSelection, code: UInt32, reason: String)
  case refresh(ClientSelection, isExpired: Bool, expiresAt: UInt64?)
  case presence(channel: String)
  case presenceStats(channel: String)
  case history(channel: String, HistoryQuery)
  case removeHistory(channel: String)
  case channels(pattern: String)
  case info
  /// Several calls in one; each was decoded, or has its error.
  case batch([BatchCommand], isParallel: Bool)

  /// One call of a batch.
  struct BatchCommand: Sendable {
    let method: APIMethod
    let request: Result<APIRequest, APIError>
  }
}

/// The methods, by the last part of the path.
enum APIMethod: String, Sendable, CaseIterable {
  case publish, broadcast, subscribe, unsubscribe, disconnect, refresh, presence
  case presenceStats = "presence_stats"
  case history
  case removeHistory = "history_remove"
  case channels, info, batch
}

/// Limits of one call.
enum APILimits {
  /// The most bytes of a request's body.
  static let maximumBodyBytes = 1 << 20
  /// The most channels of a broadcast.
  static let maximumBroadcastChannels = 10_000
  /// The most calls of a batch.
  static let maximumBatchCommands = 1_000
  /// The most tags of a publication.
  static let maximumTags = 64
  /// The most clients that a disconnect spares.
  static let maximumExceptions = 1_000
}
