import Bytes
import HTTPCore
import JSON

/// What a client that only listens says, once: whom it claims to be, and what it wants to hear.
struct UnidirectionalRequest {
  /// Channels, each with the members of its subscribe command (`{…}`).
  private(set) var channels: [(name: String, parameters: [UInt8])] = []
  /// The connect command's members (`{…}`).
  private(set) var connect: [UInt8]

  /// Reads a connect request: `{"token":…,"data":…,"name":…,"subs":{"news":{…}}}`.
  ///
  /// - Throws: for what is not such an object.
  init(json: UnsafeRawBufferPointer) throws(JSONError) {
    var channels: [(String, [UInt8])] = []
    var reader = JSONReader(json)
    try reader.readObject { (reader, key) throws(JSONError) in
      guard key == "subs" else { return }
      if try reader.readNull() { return }
      try reader.readObject { (reader, name) throws(JSONError) in
        let name = name.string
        if try reader.readNull() { return }
        guard try reader.peekKind() == .object else { return try reader.readObject { _, _ in } }
        channels.append((name, JSONText.compact(try reader.readRaw())))
      }
    }
    try reader.finish()
    self.channels = channels
    connect = JSONText.compact(json)
  }

  /// Reads the items of a query: `cf_connect` as above, or `token`, and `channel` as often as wanted.
  ///
  /// - Throws: for a `cf_connect` that is not such an object.
  init(query: String?) throws(JSONError) {
    let items = query.map(PercentEncoding.queryItems) ?? []
    if let json = items.first(where: { $0.name == "cf_connect" }) {
      var result: Result<UnidirectionalRequest, JSONError>?
      Array(json.value.utf8).withUnsafeBytes { text in
        result = Result { () throws(JSONError) in try UnidirectionalRequest(json: text) }
      }
      if let result { self = try result.get() } else { self.init(token: "") }
    } else {
      self.init(token: items.first { $0.name == "token" }?.value ?? "")
      channels = items.filter { $0.name == "channel" }.map { ($0.value, Array("{}".utf8)) }
    }
  }

  private init(token: String) {
    var json = JSONWriter()
    json.beginObject()
    if !token.isEmpty { json.member("token", token) }
    json.endObject()
    connect = json.bytes
  }

  /// Says who the client is, where the request itself does not: the last member of a name counts.
  mutating func authorize(_ token: String) {
    var json = JSONWriter()
    json.beginObject()
    json.member("token", token)
    json.endObject()
    connect = Self.joined(json.bytes, connect)
  }

  /// `{"id":1,"connect":{…}}`.
  var connectCommand: [UInt8] { Array("{\"id\":1,\"connect\":".utf8) + connect + Array("}".utf8) }

  /// The identifier of the first subscribe command; the others follow.
  static let firstSubscribeID = 2

  /// `{"id":…,"subscribe":{…,"channel":…}}`: what the client says stands first, so that the channel is the one it is known by.
  var subscribeCommands: [[UInt8]] {
    channels.enumerated().map { index, channel in
      var json = JSONWriter()
      json.beginObject()
      json.member("channel", channel.name)
      json.endObject()
      return Array("{\"id\":\(Self.firstSubscribeID + index),\"subscribe\":".utf8)
        + Self.joined(channel.parameters, json.bytes) + Array("}".utf8)
    }
  }

  /// The members of two compact objects in one.
  private static func joined(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
    guard first.count > 2 else { return second }
    guard second.count > 2 else { return first }
    return first.dropLast() + [UInt8(ascii: ",")] + second.dropFirst()
  }
}
