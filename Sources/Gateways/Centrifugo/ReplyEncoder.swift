import Bytes
import JSON
import Realtime

/// Writes replies and pushes as JSON, spelled as `Reply` and `Push` in client.proto.
enum ReplyEncoder {
  /// `{"id":…,"<method>":{…}}`.
  static func encode(_ id: UInt32, _ reply: CentrifugoReply) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("id", id)
    switch reply {
    case .error(let error): json.object("error") { $0.members(of: error) }
    case .connect(let result): json.object("connect") { $0.members(of: result) }
    case .subscribe(let result): json.object("subscribe") { $0.members(of: result) }
    case .unsubscribe: json.object("unsubscribe") { _ in }
    case .publish: json.object("publish") { _ in }
    case .presence(let clients): json.object("presence") { $0.presence(clients) }
    case .presenceStats(let stats): json.object("presence_stats") { $0.members(of: stats) }
    case .history(let page): json.object("history") { $0.members(of: page) }
    case .ping: json.object("ping") { _ in }
    case .call(let data): json.object("rpc") { json in if let data { json.member("data", data) } }
    case .refresh(let client, let version, let secondsLeft):
      json.object("refresh") { json in
        json.member("client", client)
        json.member("version", version)
        json.expiry(secondsLeft)
      }
    case .subscriptionRefresh(let secondsLeft): json.object("sub_refresh") { $0.expiry(secondsLeft) }
    case .acknowledge: json.object("ack") { _ in }
    }
    json.endObject()
    return json.bytes
  }

  static func encode(_ push: CentrifugoPush) -> [UInt8] {
    switch push {
    case .subscribe(let channel, let result, let data):
      self.push(channel, "subscribe") { json in
        json.place(of: result)
        if let data { json.member("data", data) }
      }
    case .publication(let channel, let publication): self.push(channel, "pub") { $0.members(of: publication) }
    case .unsubscribe(let channel, let code, let reason):
      self.push(channel, "unsubscribe") { json in
        json.member("code", code)
        json.member("reason", reason)
      }
    case .message(let data): self.push("", "message") { $0.member("data", data) }
    case .disconnect(let disconnect):
      self.push("", "disconnect") { json in
        json.member("code", disconnect.code)
        json.member("reason", disconnect.reason)
      }
    case .refresh(let secondsLeft): self.push("", "refresh") { $0.expiry(secondsLeft) }
    }
  }

  /// `{"push":{"channel":…,"<kind>":{…}}}`.
  static func push(_ channel: String, _ kind: StaticString, _ members: (inout JSONWriter) -> Void) -> [UInt8]
  {
    var json = JSONWriter()
    json.beginObject()
    json.object("push") { json in
      if !channel.isEmpty { json.member("channel", channel) }
      json.object(kind, members)
    }
    json.endObject()
    return json.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func members(of error: CommandError) {
    member("code", error.code)
    member("message", error.message)
    if error.isTemporary { flag("temporary") }
  }

  fileprivate mutating func members(of result: CentrifugoReply.ConnectResult) {
    member("client", result.client)
    member("version", result.version)
    expiry(result.secondsLeft)
    if let data = result.data { member("data", data) }
    if result.pingSeconds > 0 {
      member("ping", result.pingSeconds)
      flag("pong")
    }
    if let emulation = result.emulation {
      member("session", emulation.session)
      member("node", emulation.node)
    }
    guard !result.subscriptions.isEmpty else { return }
    object("subs") { json in
      for subscription in result.subscriptions {
        json.key(subscription.channel)
        json.beginObject()
        json.members(of: subscription.result)
        json.endObject()
      }
    }
  }

  fileprivate mutating func members(of subscription: CentrifugoReply.SubscriptionResult) {
    let result = subscription.result
    expiry(subscription.secondsLeft)
    place(of: result)
    if !result.publications.isEmpty {
      key("publications")
      array(result.publications) { json, publication in
        guard result.usesDelta else { return json.write(publication) }
        // Spelled as those to come: a difference is one from these bytes.
        json.beginObject()
        json.members(of: publication, delta: nil)
        json.endObject()
      }
    }
    if result.wasRecovering {
      key("recovered")
      bool(result.recovered)
      flag("was_recovering")
    }
    if result.usesDelta { flag("delta") }
    if let data = subscription.data { member("data", data) }
    if let consumer = subscription.consumer { member("consumer", consumer) }
  }

  fileprivate mutating func place(of result: SubscribeResult) {
    if result.isRecoverable { flag("recoverable") }
    if result.isPositioned { flag("positioned") }
    members(of: result.start)
  }

  /// `"expires":true,"ttl":…`: when the client has to come with a fresh token. `ttl` is a uint32 in client.proto.
  fileprivate mutating func expiry(_ secondsLeft: UInt64?) {
    guard let secondsLeft else { return }
    flag("expires")
    member("ttl", min(secondsLeft, UInt64(UInt32.max)))
  }

  private mutating func flag(_ name: StaticString) {
    key(name)
    bool(true)
  }

  fileprivate mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
    key(name)
    beginObject()
    members(&self)
    endObject()
  }
}
