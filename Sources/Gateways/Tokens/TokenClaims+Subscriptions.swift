import Bytes
import JSON
import Realtime

extension TokenClaims {
  /// What a connection token says of a channel in `subs`.
  public struct Subscription: Sendable, Equatable {
    /// The channel.
    public var channel: String
    /// `info` or `b64info`: what others in the channel may know of the user, as JSON.
    public var info: [UInt8]?
    /// `data` or `b64data`: what the client is told when it is subscribed, as JSON.
    public var data: [UInt8]?
    /// `expire_at`: when the subscription ends, in seconds since 1970; nil never.
    public var endsAt: UInt64?
    /// `override`: what is different from the namespace's options.
    public var overrides = SubscriptionOverrides()

    /// Names a channel.
    public init(channel: String) { self.channel = channel }
  }

  /// Takes `subs` and `override` from the claims as they stand there: a number may be one that no `Double` holds.
  /// False if something is not of its kind.
  mutating func takeSubscriptions(_ json: UnsafeRawBufferPointer) -> Bool {
    var reader = JSONReader(json)
    var found: [Subscription] = []
    var overrides: SubscriptionOverrides?
    do {
      try reader.readObject { (reader, key) throws(JSONError) in
        if key == "override", try !reader.readNull() {
          overrides = try reader.readOverrides()
        } else if key == "subs", try !reader.readNull() {
          found = []
          try reader.readObject { (reader, key) throws(JSONError) in
            found.append(try reader.readSubscription(of: key.string))
          }
        }
      }
    } catch {
      return false
    }
    subscriptions = found
    if let overrides { self.overrides = overrides }
    return true
  }

  /// Writes `subs` and `override`, where there is anything in them.
  func writeSubscriptions(_ json: inout JSONWriter) {
    json.write(overrides)
    guard !subscriptions.isEmpty else { return }
    json.key("subs")
    json.beginObject()
    for subscription in subscriptions {
      json.key(subscription.channel)
      json.beginObject()
      if let info = subscription.info {
        json.key("info")
        json.raw(info)
      }
      if let data = subscription.data {
        json.key("data")
        json.raw(data)
      }
      if let end = subscription.endsAt { json.member("expire_at", end) }
      json.write(subscription.overrides)
      json.endObject()
    }
    json.endObject()
  }
}

extension JSONReader {
  fileprivate mutating func readSubscription(of channel: String) throws(JSONError) -> TokenClaims.Subscription
  {
    var subscription = TokenClaims.Subscription(channel: channel)
    if try readNull() { return subscription }
    try readObject { (reader, key) throws(JSONError) in
      if try reader.readNull() { return }
      switch key {
      case "info": subscription.info = JSONText.compact(try reader.readRaw())
      case "b64info": subscription.info = try reader.readEncodedJSON()
      case "data": subscription.data = JSONText.compact(try reader.readRaw())
      case "b64data": subscription.data = try reader.readEncodedJSON()
      case "expire_at":
        let end = try reader.readUInt64()
        subscription.endsAt = end == 0 ? nil : end
      case "override": subscription.overrides = try reader.readOverrides()
      default: break
      }
    }
    return subscription
  }

  /// JSON that is hidden in a string of Base64.
  private mutating func readEncodedJSON() throws(JSONError) -> [UInt8] {
    // What is no Base64 hides nothing, which is no JSON either.
    let bytes = SharedBytes.make(copying: Base64.decode(try readString()) ?? [])
    return try bytes.withUnsafeBytes { (bytes) throws(JSONError) in
      try JSONText.validate(bytes)
      return JSONText.compact(bytes)
    }
  }

  /// Centrifugo's `override`: `{"presence":{"value":true},…}`.
  mutating func readOverrides() throws(JSONError) -> SubscriptionOverrides {
    var overrides = SubscriptionOverrides()
    try readObject { (reader, key) throws(JSONError) in
      guard let option = SubscriptionOverrides.options.first(where: { $0.name == key.string }) else { return }
      var value: Bool?
      if try reader.readNull() { return }
      try reader.readObject { (reader, key) throws(JSONError) in
        if key == "value", try !reader.readNull() { value = try reader.readBool() }
      }
      // An empty message is what Protobuf makes of false.
      overrides[keyPath: option.path] = value ?? false
    }
    return overrides
  }
}

extension JSONWriter {
  /// `"override":{…}`, if there is anything to say.
  fileprivate mutating func write(_ overrides: SubscriptionOverrides) {
    guard overrides != SubscriptionOverrides() else { return }
    key("override")
    beginObject()
    for option in SubscriptionOverrides.options {
      guard let value = overrides[keyPath: option.path] else { continue }
      key(option.name)
      beginObject()
      key("value")
      bool(value)
      endObject()
    }
    endObject()
  }
}

extension SubscriptionOverrides {
  /// The options by their names in Centrifugo.
  fileprivate static var options: [(name: String, path: WritableKeyPath<Self, Bool?>)] {
    [
      ("presence", \.keepsPresence), ("join_leave", \.emitsJoinLeave), ("force_recovery", \.forcesRecovery),
      ("force_positioning", \.forcesPositioning), ("force_push_join_leave", \.forcesJoinLeave),
    ]
  }
}
