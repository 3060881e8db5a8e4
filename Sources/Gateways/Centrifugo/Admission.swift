import Bytes
import JSON
import Realtime

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
  /// What the token allows in which channels.
  var capabilities = Capabilities()
  /// The token's own name, and when it was made: by these it may be revoked.
  var token = TokenOrigin()

  init(_ claims: TokenClaims) {
    user = claims.user
    info = claims.info.map { SharedBytes.make(copying: $0) }
    end = claims.endOfUse
    meta = claims.meta.map { SharedBytes.make(copying: $0) }
    data = nil
    subscriptions = claims.channels.map { ($0, SessionSubscribeAnswer()) }
    isRefreshedByBackend = false
    capabilities = Capabilities(claims.capabilities)
    token = TokenOrigin(identifier: claims.identifier ?? "", issuedAt: claims.issuedAt ?? 0)
  }

  init(_ answer: SessionConnectAnswer, isRefreshedByBackend: Bool) {
    user = answer.user
    info = answer.info
    end = answer.expiresAt
    meta = answer.meta
    data = answer.data
    subscriptions = answer.channels.map { ($0, SessionSubscribeAnswer()) } + answer.subscriptions
    self.isRefreshedByBackend = isRefreshedByBackend
    capabilities = Capabilities(answer.capabilities)
  }
}

extension CentrifugoCommand.ConnectRequest {
  /// `data.user`, if `data` is an object that has it.
  var userOfData: String? { data.flatMap { try? JSONValue(parsing: $0.array) }?["user"]?.stringValue }
}
