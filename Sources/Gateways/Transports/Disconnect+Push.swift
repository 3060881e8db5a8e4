import Bytes
import JSON
import WebSocketCore

extension Disconnect {
  /// `{"disconnect":{"code":…,"reason":…}}`: for clients that only listen.
  var barePush: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("disconnect")
    json.beginObject()
    json.member("code", UInt32(code))
    json.member("reason", reason)
    json.endObject()
    json.endObject()
    return json.bytes
  }
}

extension SharedBytes {
  /// Lends the payload of a server's whole, uncompressed frame.
  func withPayload<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    withUnsafeBytes { bytes in
      let header = (try? FrameHeader.parse(bytes, receivedBy: .client))?.encodedCount ?? 0
      return body(UnsafeRawBufferPointer(rebasing: bytes[header...]))
    }
  }
}
