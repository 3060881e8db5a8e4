import Bytes
import JSON

/// What is known of a client that may connect.
struct Admission {
  typealias Subscription = (channel: String, answer: SessionSubscribeAnswer)

  let user: String
  let info: SharedBytes?
  /// When the connection ends, in seconds since 1970; nil never.
  let end: UInt64?
  let meta: SharedBytes?
  let data: SharedBytes?
  let subscriptions: [Subscription]
  let isRefreshedByBackend: Bool

  init(_ claims: TokenClaims) {
    user = claims.user
    info = claims.info.map { SharedBytes.make(copying: $0) }
    end = claims.endOfUse
    meta = nil
    data = nil
    subscriptions = claims.channels.map { ($0, SessionSubscribeAnswer()) }
    isRefreshedByBackend = false
  }

  init(_ answer: SessionConnectAnswer, isRefreshedByBackend: Bool) {
    user = answer.user
    info = answer.info
    end = answer.expiresAt
    meta = answer.meta
    data = answer.data
    subscriptions = answer.channels.map { ($0, SessionSubscribeAnswer()) } + answer.subscriptions
    self.isRefreshedByBackend = isRefreshedByBackend
  }
}

extension CentrifugoCommand.ConnectRequest {
  /// `data.user`, if `data` is an object that has it.
  var userOfData: String? { data.flatMap { try? JSONValue(parsing: $0.array) }?["user"]?.stringValue }
}
