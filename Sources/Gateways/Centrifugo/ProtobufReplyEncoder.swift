import Bytes
import Realtime

/// Writes replies and pushes as Protobuf, each behind its length: `Reply` and `Push` in client.proto. The numbers are the
/// field numbers there.
enum ProtobufReplyEncoder {
  static func encode(_ id: UInt32, _ reply: CentrifugoReply) -> [UInt8] {
    var protobuf = ProtobufWriter()
    protobuf.delimited { protobuf in
      protobuf.varint(1, id)
      switch reply {
      case .error(let error): protobuf.message(2) { $0.fields(of: error) }
      case .connect(let result): protobuf.message(5) { $0.fields(of: result) }
      case .subscribe(let result): protobuf.message(6) { $0.fields(of: result) }
      case .unsubscribe: protobuf.message(7)
      case .publish: protobuf.message(8)
      case .presence(let clients): protobuf.message(9) { $0.fields(ofPresence: clients) }
      case .presenceStats(let stats): protobuf.message(10) { $0.fields(of: stats) }
      case .history(let page): protobuf.message(11) { $0.fields(of: page) }
      case .ping: protobuf.message(12)
      case .call(let data): protobuf.message(13) { $0.bytes(1, data) }
      case .refresh(let client, let version, let secondsLeft):
        protobuf.message(14) { protobuf in
          protobuf.string(1, client)
          protobuf.string(2, version)
          protobuf.expiry(secondsLeft, 3, 4)
        }
      case .subscriptionRefresh(let secondsLeft): protobuf.message(15) { $0.expiry(secondsLeft, 1, 2) }
      case .acknowledge: protobuf.message(MartletField.acknowledge)
      }
    }
    return protobuf.bytes
  }

  static func encode(_ push: CentrifugoPush) -> [UInt8] {
    switch push {
    case .subscribe(let channel, let result, let data):
      self.push(channel, 9) { protobuf in
        protobuf.bool(1, result.isRecoverable)
        protobuf.string(4, result.start.epoch)
        protobuf.varint(5, result.start.offset)
        protobuf.bool(6, result.isPositioned)
        protobuf.bytes(7, data)
      }
    case .publication(let channel, let publication): self.push(channel, 4) { $0.fields(of: publication) }
    case .unsubscribe(let channel, let code, let reason):
      self.push(channel, 7) { protobuf in
        protobuf.varint(2, code)
        protobuf.string(3, reason)
      }
    case .message(let data): self.push("", 8) { $0.bytes(1, data) }
    case .disconnect(let disconnect):
      self.push("", 11) { protobuf in
        protobuf.varint(1, disconnect.code)
        protobuf.string(2, disconnect.reason)
      }
    case .refresh(let secondsLeft): self.push("", 12) { $0.expiry(secondsLeft, 1, 2) }
    }
  }

  /// A push of one kind, which is a field number of `Push`.
  static func push(
    _ channel: String, _ kind: Int, _ fields: (inout ProtobufWriter) -> Void
  ) -> [UInt8] {
    var protobuf = ProtobufWriter()
    protobuf.delimited { protobuf in
      protobuf.message(4) { protobuf in
        protobuf.string(2, channel)
        protobuf.message(kind, fields)
      }
    }
    return protobuf.bytes
  }
}

extension ProtobufWriter {
  fileprivate mutating func fields(of error: CommandError) {
    varint(1, error.code)
    string(2, error.message)
    bool(3, error.isTemporary)
  }

  fileprivate mutating func fields(of result: CentrifugoReply.ConnectResult) {
    string(1, result.client)
    string(2, result.version)
    expiry(result.secondsLeft, 3, 4)
    bytes(5, result.data)
    for subscription in result.subscriptions {
      message(6) { protobuf in
        protobuf.string(1, subscription.channel)
        protobuf.message(2) { $0.fields(of: subscription.result) }
      }
    }
    varint(7, result.pingSeconds)
    bool(8, result.pingSeconds > 0)
    string(9, result.emulation?.session ?? "")
    string(10, result.emulation?.node ?? "")
  }

  fileprivate mutating func fields(of subscription: CentrifugoReply.SubscriptionResult) {
    let result = subscription.result
    expiry(subscription.secondsLeft, 1, 2)
    bool(3, result.isRecoverable)
    string(6, result.start.epoch)
    for publication in result.publications { message(7) { $0.fields(of: publication) } }
    bool(8, result.recovered)
    varint(9, result.start.offset)
    bool(10, result.isPositioned)
    bytes(11, subscription.data)
    bool(12, result.wasRecovering)
    bool(13, result.usesDelta)
    string(MartletField.consumer, subscription.consumer ?? "")
  }

  fileprivate mutating func fields(ofPresence clients: [ClientInfo]) {
    for client in clients {
      message(1) { protobuf in
        protobuf.string(1, client.client)
        protobuf.message(2) { $0.fields(of: client) }
      }
    }
  }

  fileprivate mutating func fields(of stats: PresenceStats) {
    varint(1, UInt(stats.clients))
    varint(2, UInt(stats.users))
  }

  fileprivate mutating func fields(of page: HistoryPage) {
    for publication in page.publications { message(1) { $0.fields(of: publication) } }
    string(2, page.position.epoch)
    varint(3, page.position.offset)
  }

  fileprivate mutating func fields(of client: ClientInfo) {
    string(1, client.user)
    string(2, client.client)
    bytes(3, client.connectionInfo)
    bytes(4, client.channelInfo)
  }

  /// `delta` is the difference from the publication before, sent instead of the data.
  mutating func fields(of publication: Publication, delta: SharedBytes? = nil) {
    bytes(4, delta ?? publication.data)
    if let info = publication.info { message(5) { $0.fields(of: info) } }
    varint(6, publication.offset)
    for tag in publication.tags {
      message(7) { protobuf in
        protobuf.string(1, tag.name)
        protobuf.string(2, tag.value)
      }
    }
    bool(8, delta != nil)
  }

  /// `Join` and `Leave`.
  mutating func fields(ofComing info: ClientInfo) {
    message(1) { $0.fields(of: info) }
  }

  /// `expires` and `ttl`, a uint32.
  fileprivate mutating func expiry(_ secondsLeft: UInt64?, _ expires: Int, _ ttl: Int) {
    guard let secondsLeft else { return }
    bool(expires, true)
    varint(ttl, min(secondsLeft, UInt64(UInt32.max)))
  }
}
