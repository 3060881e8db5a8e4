import JSON

/// What a client of long-polling posts.
struct PollRequest: Equatable {
  /// Empty: a new session is asked for.
  var session = ""
  /// The number of the last reply that has arrived.
  var ack: UInt64 = 0
  /// How long to wait for news, in milliseconds; nil: as long as the server likes.
  var wait: UInt64?
  /// Commands, one a line; may be empty.
  var data: [UInt8] = []

  /// - Throws: for what is not JSON, or has a member of the wrong kind.
  init(_ body: UnsafeRawBufferPointer) throws(JSONError) {
    var reader = JSONReader(body)
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "session": session = try reader.readString()
      case "ack": ack = try reader.readUInt64()
      case "wait": wait = try reader.readUInt64()
      case "data": data = try reader.readCommands()
      default: break
      }
    }
    try reader.finish()
  }
}
