import Bytes
import Realtime

/// What a session says, before it is spelled (`Reply` in client.proto).
enum CentrifugoReply {
  case error(CommandError)
  case connect(ConnectResult)
  case subscribe(SubscriptionResult)
  case unsubscribe
  case publish
  case presence([ClientInfo])
  case presenceStats(PresenceStats)
  case history(HistoryPage)
  case ping
  case call(SharedBytes?)
  /// `secondsLeft` is nil where there is no end.
  case refresh(client: String, version: String, secondsLeft: UInt64?)
  case subscriptionRefresh(secondsLeft: UInt64?)
  case acknowledge

  struct ConnectResult {
    var client: String
    var version: String
    var secondsLeft: UInt64?
    var data: SharedBytes?
    /// Between two pings; 0 for none.
    var pingSeconds: UInt64 = 0
    /// Where a client posts its commands that has no connection for them; nil for the others.
    var emulation: EmulationAddress?
    var subscriptions: [(channel: String, result: SubscriptionResult)] = []
  }

  struct SubscriptionResult {
    var result: SubscribeResult
    /// What the client is told when it has to come with a fresh token.
    var secondsLeft: UInt64?
    var data: SharedBytes?
    /// The name under which the client acknowledges publications; nil where it does not.
    var consumer: String?
  }
}

/// Names a session to the requests that bring its commands (`session` and `node` in client.proto).
struct EmulationAddress: Sendable, Equatable {
  var session: String
  var node: String
}

/// What a session says without having been asked (`Push` in client.proto). What the hub delivers to many is not among
/// it: that is spelled by the encodings, once for all.
enum CentrifugoPush {
  case subscribe(channel: String, SubscribeResult, data: SharedBytes?)
  case publication(channel: String, Publication)
  case unsubscribe(channel: String, code: UInt32, reason: String)
  case message(SharedBytes)
  case disconnect(Disconnect)
  /// `secondsLeft` is nil where there is no end.
  case refresh(secondsLeft: UInt64?)
}

extension SubscribeResult {
  /// Where the client stands before it has taken `publications`, each of which moves it on: so clients keep their place,
  /// and one that stops in between misses nothing.
  var start: StreamPosition {
    guard let first = publications.first, first.offset > 0 else { return position }
    return StreamPosition(epoch: position.epoch, offset: first.offset - 1)
  }
}
