import JSON

/// How a benchmark of fan-out subscribes and publishes.
struct FanOutOptions: Sendable {
  enum Wire: String, CaseIterable, Sendable {
    /// The server sends each message to everybody.
    case plain
    /// Channels of the Centrifugo protocol, JSON.
    case centrifugo
  }

  /// Where requests that publish go to.
  struct Place: Sendable {
    var server: ServerAddress
    /// Path and query.
    var target: String
  }

  var wire = Wire.plain
  var channel = "news:bench"
  var token: String?
  /// Publish by HTTP; nil publishes over the first connection.
  var publish: Place?
  var apiKey: String?

  /// The body of a request of the HTTP API.
  func apiRequest(_ payload: [UInt8]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    publication(payload, &writer)
    writer.endObject()
    return writer.bytes
  }

  /// A publish command of a client.
  func command(id: UInt64, _ payload: [UInt8]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("id")
    writer.number(id)
    writer.key("publish")
    writer.beginObject()
    publication(payload, &writer)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  private func publication(_ payload: [UInt8], _ writer: inout JSONWriter) {
    writer.key("channel")
    writer.string(channel)
    writer.key("data")
    writer.string(String(decoding: payload, as: UTF8.self))
  }
}
