import JSON
import Realtime

/// Results as sessions take them; nil where a member is not of its kind.
extension SessionConnectAnswer {
  /// The most channels that an answer may name.
  static let maximumChannels = 1_000

  init?(_ result: BackendResult) {
    let value = result.value
    guard case .string(let user) = value["user"] ?? .string("") else { return nil }
    self.init(user: user)
    expiresAt = BackendResult.time(value["expire_at"])
    info = result.payload("info")
    data = result.payload("data")
    meta = result.meta
    if let names = value["channels"], names != .null {
      guard let names = names.arrayValue else { return nil }
      channels = names.compactMap(\.stringValue)
      guard channels.count == names.count else { return nil }
    }
    if let subs = value["subs"], subs != .null {
      guard let subs = subs.objectValue else { return nil }
      subscriptions = subs.map { member in
        (member.name, SessionSubscribeAnswer(member.value, of: member.name, in: result))
      }
    }
    guard channels.count + subscriptions.count <= Self.maximumChannels else { return nil }
    if let caps = value["caps"], caps != .null {
      guard let capabilities = TokenClaims.Capability.list(caps) else { return nil }
      self.capabilities = capabilities
    }
  }
}

extension SessionSubscribeAnswer {
  init?(_ result: BackendResult) {
    self.init(result.value, of: nil, in: result)
    if let allow = result.value["allow"], allow != .null {
      guard let allowances = Allowances(allow) else { return nil }
      self.allowances = allowances
    }
  }

  fileprivate init(_ value: JSONValue, of channel: String?, in result: BackendResult) {
    self.init()
    expiresAt = BackendResult.time(value["expire_at"])
    info = result.payload("info", of: channel)
    data = result.payload("data", of: channel)
    overrides = SubscriptionOverrides(value["override"])
  }
}

extension SubscriptionOverrides {
  /// `{"presence":{"value":true}, …}`
  init(_ value: JSONValue?) {
    self.init()
    func flag(_ name: String) -> Bool? {
      if case .bool(let flag)? = value?[name]?["value"] { flag } else { nil }
    }
    keepsPresence = flag("presence")
    emitsJoinLeave = flag("join_leave")
    forcesRecovery = flag("force_recovery")
    forcesPositioning = flag("force_positioning")
    forcesJoinLeave = flag("force_push_join_leave")
  }
}

extension SessionRefreshAnswer {
  init?(_ result: BackendResult) {
    self.init(
      isExpired: result.value["expired"] == .bool(true),
      expiresAt: BackendResult.time(result.value["expire_at"]))
    info = result.payload("info")
    meta = result.meta
  }
}

extension SessionPublishAnswer {
  init?(_ result: BackendResult) {
    self.init()
    data = result.payload("data")
    skipsHistory = result.value["skip_history"] == .bool(true)
  }
}

extension SessionCallAnswer {
  init?(_ result: BackendResult) { self.init(data: result.payload("data")) }
}
