import Bytes
import JSON
import Realtime
import WebSocketCore

extension CentrifugoJSONEncoding {
  /// `{"push":{"channel":…,"pub":{"data":"…","delta":true}}}`. With differences, the data is a string, also where all
  /// of it is sent: the client makes the next data from its very bytes, which a JSON value would not keep.
  public func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes {
    let text = ReplyEncoder.push(channel, "pub") { $0.members(of: publication, delta: delta) }
    return text.withUnsafeBytes { FrameEncoder.serverFrame(.text, $0) }
  }
}

extension JSONWriter {
  /// A publication for a subscription with differences. A difference that is no text cannot be sent in JSON: then all
  /// of the data is.
  mutating func members(of publication: Publication, delta: SharedBytes?) {
    let difference = delta.flatMap { $0.withUnsafeBytes { String(validating: $0, as: UTF8.self) } }
    members(of: publication) { json in
      json.key("data")
      json.string(difference ?? publication.jsonText)
      guard difference != nil else { return }
      json.key("delta")
      json.bool(true)
    }
  }
}

extension Publication {
  /// The data as JSON, which is made of what is none.
  fileprivate var jsonText: String {
    guard isUnchecked else { return data.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
    var json = JSONWriter()
    json.unchecked(data)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
