import Bytes
import Realtime

/// What few sessions have, apart, so that the others do not pay for it.
final class SessionExtras {
  /// How the client is connected, if not by a WebSocket.
  var carrier: SessionCarrier?
  /// Whether channels that the connect command names are subscribed to as the server's; else only their positions count.
  var honoursWishes = true
  /// The backend has been asked for more time, and has not answered.
  var isAskingForRefresh = false
  /// The channels of the token that the connection began with.
  var tokenChannels: Set<String> = []
  /// Of the subscriptions that end.
  var subscriptionTimes: [String: SubscriptionTime] = [:]
  /// What the token or the backend has said for the backend alone.
  var meta: SharedBytes?
  /// The fields of the client's request that the backend wants to see.
  var headers: [(name: String, value: String)] = []
  /// How often it has done what; nil where nothing is limited.
  var rate: RateLimiter.Connection?
  /// How the server has ended the connection.
  var ending: Disconnect?
}

extension CentrifugoSession {
  private var carrier: SessionCarrier { extras?.carrier ?? .webSocket }
  /// How the client is connected: ``SessionCaller/transport``.
  var transport: String { carrier.name }
  /// Where the client posts its commands, if it has to.
  var emulation: EmulationAddress? { carrier.emulation }

  var honoursWishes: Bool {
    get { extras?.honoursWishes ?? true }
    set { if extras != nil || !newValue { makeExtras().honoursWishes = newValue } }
  }
  var isAskingForRefresh: Bool {
    get { extras?.isAskingForRefresh ?? false }
    set { if extras != nil || newValue { makeExtras().isAskingForRefresh = newValue } }
  }
  var tokenChannels: Set<String> {
    get { extras?.tokenChannels ?? [] }
    set { if extras != nil || !newValue.isEmpty { makeExtras().tokenChannels = newValue } }
  }
  var meta: SharedBytes? {
    get { extras?.meta }
    set { if extras != nil || newValue != nil { makeExtras().meta = newValue } }
  }
  var headers: [(name: String, value: String)] {
    get { extras?.headers ?? [] }
    set { if extras != nil || !newValue.isEmpty { makeExtras().headers = newValue } }
  }
}
