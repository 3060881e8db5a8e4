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
  /// Channels that the client would have the server subscribe it to: those that it had before.
  var wishes: [String] = []

  init(_ claims: TokenClaims) {
    user = claims.user
    info = claims.info.map { SharedBytes.make(copying: $0) }
    end = claims.endOfUse
    meta = claims.meta.map { SharedBytes.make(copying: $0) }
    data = nil
    subscriptions = Self.unique(
      claims.channels, claims.subscriptions.map { ($0.channel, SessionSubscribeAnswer($0)) })
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
    subscriptions = Self.unique(answer.channels, answer.subscriptions)
    self.isRefreshedByBackend = isRefreshedByBackend
    capabilities = Capabilities(answer.capabilities)
  }

  /// Each channel once; what is said of one beside its name counts.
  private static func unique(_ names: [String], _ subscriptions: [Subscription]) -> [Subscription] {
    var known: Set<String> = [""]
    return (subscriptions + names.map { ($0, SessionSubscribeAnswer()) }).filter {
      known.insert($0.channel).inserted
    }
  }
}

extension CentrifugoCommand.ConnectRequest {
  /// `data.user`, if `data` is an object that has it.
  var userOfData: String? { data.flatMap { try? JSONValue(parsing: $0.array) }?["user"]?.stringValue }
}

extension SessionSubscribeAnswer {
  fileprivate init(_ claims: TokenClaims.Subscription) {
    expiresAt = claims.endsAt
    info = claims.info.map { SharedBytes.make(copying: $0) }
    data = claims.data.map { SharedBytes.make(copying: $0) }
    overrides = claims.overrides
  }
}

extension TokenClaims {
  /// All channels that the server subscribes to.
  var allChannels: Set<String> { Set(channels + subscriptions.map(\.channel)) }
}
