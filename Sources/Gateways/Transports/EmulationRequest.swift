import JSON

/// What a client posts to `/emulation`: commands for one of its sessions (`EmulationRequest` in client.proto).
struct EmulationRequest: Equatable {
  var session = ""
  var node = ""
  /// Commands, one a line.
  var data: [UInt8] = []

  /// - Throws: for what is not JSON, or has a member of the wrong kind.
  init(_ body: UnsafeRawBufferPointer) throws(JSONError) {
    var reader = JSONReader(body)
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "session": session = try reader.readString()
      case "node": node = try reader.readString()
      case "data": data = try reader.readCommands()
      default: break
      }
    }
    try reader.finish()
  }
}

extension JSONReader {
  /// Commands as a text of several lines, or one command as it is.
  mutating func readCommands() throws(JSONError) -> [UInt8] {
    if try peekKind() == .string { return Array(try readString().utf8) }
    // A value may be spread over lines, which commands must not be.
    return JSONText.compact(try readRaw())
  }
}
