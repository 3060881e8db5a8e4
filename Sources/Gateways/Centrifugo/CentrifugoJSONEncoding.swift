import Bytes
import JSON
import Realtime
import WebSocketCore

/// The hub's frames for clients of the JSON protocol over WebSocket: ready to be queued on any connection.
public struct CentrifugoJSONEncoding: WireEncoding {
  /// Makes the encoding.
  public init() {}

  /// `{"push":{"channel":…,"pub":{…}}}`.
  public func publication(_ publication: Publication, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "pub") { $0.members(of: publication) })
  }

  /// `{"push":{"channel":…,"join":{"info":{…}}}}`.
  public func joined(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "join") { $0.members(ofComing: info) })
  }

  /// `{"push":{"channel":…,"leave":{"info":{…}}}}`.
  public func left(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ReplyEncoder.push(channel, "leave") { $0.members(ofComing: info) })
  }

  private static func frame(_ text: [UInt8]) -> SharedBytes {
    text.withUnsafeBytes { FrameEncoder.serverFrame(.text, $0) }
  }
}

extension JSONWriter {
  fileprivate mutating func members(ofComing info: ClientInfo) {
    key("info")
    write(info)
  }
}
