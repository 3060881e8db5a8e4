import Bytes
import Realtime

/// One command of a client (`Command` in client.proto).
struct CentrifugoCommand {
  /// Counts up from 1; 0 where no reply is wanted.
  var id: UInt32 = 0
  /// What is wanted; nil for an empty command, which is a pong.
  var request: Request?

  enum Request {
    case connect(ConnectRequest)
    case subscribe(SubscribeRequest)
    case unsubscribe(channel: String)
    case publish(channel: String, data: SharedBytes?)
    case presence(channel: String)
    case presenceStats(channel: String)
    case history(channel: String, HistoryQuery)
    case ping
    case send(data: SharedBytes)
    case rpc(SessionCallRequest)
    case refresh(token: String)
    case subscriptionRefresh(channel: String, token: String)
    /// Martlet's own: all publications up to the offset are dealt with.
    case acknowledge(channel: String, offset: UInt64)
  }

  struct ConnectRequest {
    var token = ""
    var data: SharedBytes?
    var name = ""
    var version = ""
    /// Header fields that the client would send if it could, such as one in a browser; limited in number and size.
    var headers: [(name: String, value: String)] = []
    /// The channels of `subs`.
    var channels: [String] = []
    /// Positions of server-side subscriptions that the client wants to recover.
    var positions: [String: StreamPosition] = [:]
  }

  struct SubscribeRequest {
    var channel = ""
    var token = ""
    var data: SharedBytes?
    var position: StreamPosition?
    var wantsRecovery = false
    var wantsPosition = false
    /// How publications are wanted as differences: empty, or `fossil`.
    var delta = ""
    /// Which publications are wanted, by their tags.
    var filter: TagsFilterNode?
    var wantsJoinLeave = false
    /// Martlet's own: the name under which publications are acknowledged; nil where they are not.
    var consumer: String?
    var flags: UInt64 = 0
    /// Refuse with error 112 when recovery is impossible.
    var requiresRecovery: Bool { flags & 2 != 0 }
  }
}

extension CentrifugoCommand.Request {
  /// Whether something is missing without which the command means nothing; as in Centrifugo, that ends the connection.
  var isIncomplete: Bool {
    switch self {
    case .subscribe(let request): request.channel.isEmpty
    case .publish(let channel, let data): channel.isEmpty || data == nil
    case .acknowledge(let channel, let offset): channel.isEmpty || offset == 0
    case .unsubscribe(let channel), .presence(let channel), .presenceStats(let channel),
      .history(let channel, _), .subscriptionRefresh(let channel, _):
      channel.isEmpty
    case .refresh(let token): token.isEmpty
    case .connect, .ping, .send, .rpc: false
    }
  }
}
