import Bytes
import Realtime

/// A call of the server API, decoded. `centrifugal.dev/docs/server/server_api` describes the methods.
enum APIRequest: Sendable {
  case publish(PublishRequest, channel: String)
  case broadcast(PublishRequest, channels: [String])
  case subscribe(ClientSelection, channel: String, options: SubscribeOptions, data: SharedBytes?)
  case unsubscribe(ClientSelection, channel: String, code: UInt32)
  case disconnect(ClientSelection, code: UInt32, reason: String)
  case refresh(ClientSelection, isExpired: Bool, expiresAt: UInt64?)
  case presence(channel: String)
  case presenceStats(channel: String)
  case history(channel: String, HistoryQuery)
  case removeHistory(channel: String)
  case channels(pattern: String)
  /// A page of the channels behind a name.
  case channelPage(pattern: String, after: String, limit: Int)
  /// A page of the clients behind an identifier.
  case connections(user: String, after: String, limit: Int)
  case revocation(Revocation)
  /// Of the application behind the server.
  case rpc(SessionCallRequest)
  case info
  /// Several calls in one; each was decoded, or has its error.
  case batch([BatchCommand], isParallel: Bool)

  /// Whose tokens are not taken any more, or are again.
  enum Revocation: Sendable, Equatable {
    case token(identifier: String, expiresAt: UInt64?)
    case tokensOfUser(String, issuedBefore: UInt64?, expiresAt: UInt64?)
    case block(user: String, expiresAt: UInt64?)
    case unblock(user: String)
  }

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
  case channels, connections, info, batch, rpc
  case revokeToken = "revoke_token"
  case invalidateUserTokens = "invalidate_user_tokens"
  case blockUser = "block_user"
  case unblockUser = "unblock_user"
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
  /// The most lines of a stream of publications that are answered one by one.
  static let maximumStreamLines = 10_000
  /// The most bytes of a line of such a stream.
  static let maximumStreamLineBytes = 1 << 20
  /// Publications of a stream that are under way at once.
  static let maximumStreamUnderWay = 256
  /// Errors that a summary names.
  static let maximumStreamErrors = 100
  /// The most channels or clients of a page, and how many there are without a limit in the request.
  static let maximumPage = 10_000
  /// How long a revocation without `expire_at` lasts, in seconds: 30 days.
  static let revocationSeconds: UInt64 = 2_592_000
  /// The most clients that a disconnect spares.
  static let maximumExceptions = 1_000
}
