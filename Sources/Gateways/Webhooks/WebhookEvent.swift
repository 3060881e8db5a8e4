import JSON
import Realtime

/// What a webhook tells.
public enum WebhookEvent: Sendable {
  case connected(ClientInfo)
  case disconnected(ClientInfo, code: UInt16, reason: String)
  case channelOccupied(String)
  case channelVacated(String)
  case cacheMissed(String)
  case memberAdded(ClientInfo, channel: String)
  case memberRemoved(ClientInfo, channel: String)

  /// The kinds, as they are spelled.
  public enum Kind: String, Sendable, CaseIterable {
    case connect, disconnect
    case channelOccupied = "channel_occupied"
    case channelVacated = "channel_vacated"
    case cacheMissed = "cache_miss"
    case memberAdded = "member_added"
    case memberRemoved = "member_removed"
  }

  var kind: Kind {
    switch self {
    case .connected: .connect
    case .disconnected: .disconnect
    case .channelOccupied: .channelOccupied
    case .channelVacated: .channelVacated
    case .cacheMissed: .cacheMissed
    case .memberAdded: .memberAdded
    case .memberRemoved: .memberRemoved
    }
  }

  /// Writes `{"event":…,"time_ms":…,…}`.
  func write(to json: inout JSONWriter, atMilliseconds time: UInt64) {
    json.beginObject()
    json.member("event", kind.rawValue)
    json.member("time_ms", time)
    switch self {
    case .connected(let info): Self.write(info, nil, to: &json)
    case .disconnected(let info, let code, let reason):
      Self.write(info, nil, to: &json)
      json.member("code", code)
      json.member("reason", reason)
    case .channelOccupied(let channel), .channelVacated(let channel), .cacheMissed(let channel):
      json.member("channel", channel)
    case .memberAdded(let info, let channel), .memberRemoved(let info, let channel):
      Self.write(info, channel, to: &json)
    }
    json.endObject()
  }

  private static func write(_ info: ClientInfo, _ channel: String?, to json: inout JSONWriter) {
    if let channel { json.member("channel", channel) }
    json.member("client", info.client)
    json.member("user", info.user)
  }
}
