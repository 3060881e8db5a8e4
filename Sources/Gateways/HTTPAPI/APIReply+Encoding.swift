import Bytes
import JSON
import Realtime

extension APIReply {
  /// The body of the HTTP response.
  func encoded() -> [UInt8] {
    var json = JSONWriter()
    if case .result(.batch(let replies)) = self {
      // A batch has no "result" around it.
      json.beginObject()
      json.key("replies")
      json.array(replies) { json, entry in
        json.beginObject()
        switch entry.reply {
        case .result(let result):
          json.key(entry.method.rawValue)
          json.write(result)
        case .error(let error): json.member(error)
        }
        json.endObject()
      }
      json.endObject()
    } else {
      json.write(self)
    }
    return json.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ reply: APIReply) {
    beginObject()
    switch reply {
    case .error(let error): member(error)
    case .result(let result):
      key("result")
      write(result)
    }
    endObject()
  }

  fileprivate mutating func member(_ error: APIError) {
    key("error")
    beginObject()
    member("code", error.code)
    member("message", error.message)
    endObject()
  }

  fileprivate mutating func write(_ result: APIResult) {
    beginObject()
    switch result {
    case .empty: break
    case .position(let position): members(of: position)
    case .broadcast(let results):
      key("responses")
      array(results) { json, result in json.write(APIReply(result) { .position($0) }) }
    case .presence(let clients): presence(clients)
    case .presenceStats(let stats): members(of: stats)
    case .history(let page): members(of: page)
    case .channels(let channels): members(of: channels)
    case .channelPage(let channels, let isFull):
      members(of: channels)
      if isFull, let last = channels.last { member("next_cursor", last.name) }
    case .connections(let clients, let isFull):
      members(of: clients)
      if isFull, let last = clients.last { member("next_cursor", last.info.client) }
    case .info(let node):
      key("nodes")
      array([node]) { json, node in json.write(node) }
    case .called(let data):
      if let data { member("data", data) }
    case .batch: break
    }
    endObject()
  }

  private mutating func members(of channels: [ChannelSummary]) {
    key("channels")
    beginObject()
    for channel in channels {
      key(channel.name)
      beginObject()
      member("num_clients", channel.clients)
      endObject()
    }
    endObject()
  }

  private mutating func members(of clients: [ClientSummary]) {
    key("connections")
    beginObject()
    for client in clients {
      key(client.info.client)
      write(client)
    }
    endObject()
  }

  private mutating func write(_ client: ClientSummary) {
    beginObject()
    member("user", client.info.user)
    if let info = client.info.connectionInfo { member("conn_info", info) }
    key("state")
    beginObject()
    key("channels")
    beginObject()
    for channel in client.channels.sorted() {
      key(channel)
      beginObject()
      endObject()
    }
    endObject()
    if client.token != TokenOrigin() {
      key("connection_token")
      beginObject()
      if !client.token.identifier.isEmpty { member("uid", client.token.identifier) }
      if client.token.issuedAt > 0 { member("issued_at", client.token.issuedAt) }
      endObject()
    }
    endObject()
    endObject()
  }

  private mutating func write(_ node: APINode) {
    let counters = node.counters
    beginObject()
    member("uid", node.identity.uid)
    member("name", node.identity.name)
    member("version", node.identity.version)
    member("num_clients", counters.clients)
    member("num_users", counters.users)
    member("num_subs", counters.subscriptions)
    member("num_channels", counters.channels)
    member("uptime", node.uptimeSeconds)
    key("metrics")
    beginObject()
    member("interval", 0)
    key("items")
    beginObject()
    member("messages_published", counters.published)
    member("messages_delivered", counters.delivered)
    member("messages_suppressed", counters.suppressed)
    member("messages_acknowledged", counters.acknowledged)
    member("consumers_behind", counters.consumersBehind)
    member("filtered_publications", counters.filtered)
    member("dropped_publications", counters.dropped)
    member("conflated_publications", counters.conflated)
    member("delayed_publications", counters.delayed)
    member("deltas", counters.deltas)
    member("insufficient_states", counters.insufficientStates)
    member("recoveries", counters.recovered)
    member("recoveries_failed", counters.unrecovered)
    member("limit_errors", counters.limitRefusals)
    member("permission_errors", counters.permissionRefusals)
    member("channels_held", counters.heldChannels)
    for metric in node.moreMetrics {
      key(metric.name)
      number(metric.value)
    }
    endObject()
    endObject()
    endObject()
  }
}
