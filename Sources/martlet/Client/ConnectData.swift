import JSON

/// The application's part of a connect command.
enum ConnectData {
  /// `{"user":"home-01"}`: the name that a server with open doors shows to others.
  static func user(_ name: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("user")
    writer.string(name)
    writer.endObject()
    return writer.bytes
  }
}
