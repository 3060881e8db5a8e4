import Bytes
import JSON
import Realtime
import WebSocketCore

/// Writes replies and pushes as JSON, spelled as `Reply` and `Push` in client.proto.
enum ReplyEncoder {
  /// `{"id":…,"error":{…}}`.
  static func error(_ id: UInt32, _ error: CommandError) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("id", id)
    json.key("error")
    json.beginObject()
    json.member("code", error.code)
    json.member("message", error.message)
    if error.isTemporary {
      json.key("temporary")
      json.bool(true)
    }
    json.endObject()
    json.endObject()
    return json.bytes
  }

  /// `{"id":…,"<method>":{…}}`.
  static func result(
    _ id: UInt32, _ method: StaticString, _ members: (inout JSONWriter) -> Void = { _ in }
  ) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("id", id)
    json.key(method)
    json.beginObject()
    members(&json)
    json.endObject()
    json.endObject()
    return json.bytes
  }

  /// `{"push":{"channel":…,"<kind>":{…}}}`.
  static func push(
    _ channel: String, _ kind: StaticString, _ value: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("push")
    json.beginObject()
    if !channel.isEmpty { json.member("channel", channel) }
    json.key(kind)
    value(&json)
    json.endObject()
    json.endObject()
    return json.bytes
  }
}

extension JSONWriter {
  /// The members of a subscribe result, also inside connect results and subscribe pushes.
  mutating func members(of result: SubscribeResult, secondsLeft: UInt64?) {
    if let secondsLeft { expiry(secondsLeft) }
    if result.isRecoverable {
      key("recoverable")
      bool(true)
      key("positioned")
      bool(true)
    }
    members(of: result.position)
    if !result.publications.isEmpty {
      key("publications")
      array(result.publications) { json, publication in json.write(publication) }
    }
    if result.wasRecovering {
      key("recovered")
      bool(result.recovered)
      key("was_recovering")
      bool(true)
    }
  }

  /// `"expires":true,"ttl":…`: when the client has to come with a fresh token. `ttl` is a uint32 in client.proto.
  mutating func expiry(_ secondsLeft: UInt64) {
    key("expires")
    bool(true)
    member("ttl", min(secondsLeft, UInt64(UInt32.max)))
  }
}

/// The hub's frames for clients of the JSON protocol over WebSocket: ready to be queued on any connection.
public struct CentrifugoJSONEncoding: WireEncoding {
  /// Makes the encoding.
  public init() {}

  /// `{"push":{"channel":…,"pub":{…}}}`.
  public func publication(_ publication: Publication, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "pub") { $0.write(publication) })
  }

  /// `{"push":{"channel":…,"join":{"info":{…}}}}`.
  public func joined(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "join") { Self.write(info, &$0) })
  }

  /// `{"push":{"channel":…,"leave":{"info":{…}}}}`.
  public func left(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "leave") { Self.write(info, &$0) })
  }

  private static func write(_ info: ClientInfo, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("info")
    json.write(info)
    json.endObject()
  }

  private static func frame(_ text: [UInt8]) -> SharedBytes {
    text.withUnsafeBytes { FrameEncoder.serverFrame(.text, $0) }
  }
}
