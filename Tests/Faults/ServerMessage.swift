import JSON
import Realtime

/// What a client reads of one line of the server's.
enum ServerMessage {
  case connected
  case subscribed(id: Int64, FaultEvent.Beginning)
  case publication(channel: String, FaultEvent.Shown)
  /// The reply to a command other than connect and subscribe.
  case done(id: Int64)
  case failed(id: Int64, code: Int64)
  /// The server ended a subscription.
  case unsubscribed(channel: String)
  case ping

  init?(_ json: JSONValue) {
    if let push = json["push"] {
      self.init(push: push)
    } else if let id = json["id"]?.intValue {
      self.init(reply: json, id: id)
    } else {
      self = .ping
    }
  }

  private init?(push: JSONValue) {
    let channel = push["channel"]?.stringValue ?? ""
    if let publication = push["pub"] {
      self = .publication(channel: channel, FaultEvent.Shown(publication))
    } else if push["unsubscribe"] != nil {
      self = .unsubscribed(channel: channel)
    } else {
      return nil
    }
  }

  private init(reply: JSONValue, id: Int64) {
    if let error = reply["error"] {
      self = .failed(id: id, code: error["code"]?.intValue ?? 0)
    } else if reply["connect"] != nil {
      self = .connected
    } else if let subscribe = reply["subscribe"] {
      self = .subscribed(id: id, FaultEvent.Beginning(subscribe))
    } else {
      self = .done(id: id)
    }
  }
}

extension FaultEvent.Shown {
  init(_ json: JSONValue) {
    self.init(
      offset: UInt64(clamping: json["offset"]?.intValue ?? 0), text: json["data"]?.stringValue ?? "")
  }
}

extension FaultEvent.Beginning {
  init(_ json: JSONValue) {
    self.init(
      position: StreamPosition(
        epoch: json["epoch"]?.stringValue ?? "", offset: UInt64(clamping: json["offset"]?.intValue ?? 0)),
      publications: json["publications"]?.arrayValue?.map(FaultEvent.Shown.init) ?? [],
      wasRecovering: json["was_recovering"]?.boolValue ?? false,
      recovered: json["recovered"]?.boolValue ?? false)
  }
}
