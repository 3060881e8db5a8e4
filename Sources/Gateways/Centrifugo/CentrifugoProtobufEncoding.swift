import Bytes
import Realtime
import WebSocketCore

/// The hub's frames for clients of the Protobuf protocol over WebSocket: ready to be queued on any connection.
public struct CentrifugoProtobufEncoding: WireEncoding {
  /// Makes the encoding.
  public init() {}

  /// `Reply.push.pub`.
  public func publication(_ publication: Publication, channel: String) -> SharedBytes {
    Self.frame(ProtobufReplyEncoder.push(channel, 4) { $0.fields(of: publication) })
  }

  /// `Reply.push.pub`, with the difference as its data, and `delta` set.
  public func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes {
    Self.frame(ProtobufReplyEncoder.push(channel, 4) { $0.fields(of: publication, delta: delta) })
  }

  /// `Reply.push.join`.
  public func joined(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ProtobufReplyEncoder.push(channel, 5) { $0.fields(ofComing: info) })
  }

  /// `Reply.push.leave`.
  public func left(_ info: ClientInfo, channel: String) -> SharedBytes {
    Self.frame(ProtobufReplyEncoder.push(channel, 6) { $0.fields(ofComing: info) })
  }

  private static func frame(_ bytes: [UInt8]) -> SharedBytes {
    bytes.withUnsafeBytes { FrameEncoder.serverFrame(.binary, $0) }
  }
}
