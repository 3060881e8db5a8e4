import Bytes
import JSON

/// The body of a request to a backend.
struct BackendRequest {
  private var json = JSONWriter()
  private let encoding: ClientEncoding

  init(_ caller: SessionCaller, includesMeta: Bool) {
    encoding = caller.encoding
    json.beginObject()
    json.member("client", caller.client)
    json.member("transport", caller.transport)
    json.member("protocol", caller.encoding.rawValue)
    json.member("encoding", caller.encoding == .json ? "json" : "binary")
    if includesMeta, let meta = caller.meta { json.member("meta", meta) }
  }

  /// The finished body.
  var body: [UInt8] {
    var json = json
    json.endObject()
    return json.bytes
  }

  mutating func add(_ request: SessionConnectRequest) {
    if !request.name.isEmpty { json.member("name", request.name) }
    if !request.version.isEmpty { json.member("version", request.version) }
    if let data = request.data { add(data) }
    if !request.channels.isEmpty {
      json.key("channels")
      json.array(request.channels) { json, channel in json.string(channel) }
    }
  }

  mutating func add(user: String, channel: String? = nil, method: String? = nil, data: SharedBytes? = nil) {
    json.member("user", user)
    if let channel { json.member("channel", channel) }
    if let method, !method.isEmpty { json.member("method", method) }
    if let data { add(data) }
  }

  /// JSON stands in the request as it is; what is not JSON, in Base64.
  private mutating func add(_ data: SharedBytes) {
    guard data.count > 0 else { return }
    let isJSON = encoding == .json || data.withUnsafeBytes { (try? JSONText.validate($0)) != nil }
    if isJSON { json.member("data", data) } else { json.member("b64data", Base64.encode(data.array)) }
  }
}
