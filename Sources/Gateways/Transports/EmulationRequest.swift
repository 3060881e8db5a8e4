import JSON

/// What a client posts to `/emulation`: commands for one of its sessions (`EmulationRequest` in client.proto).
struct EmulationRequest: Equatable {
  var session = ""
  var node = ""
  /// Commands as they follow each other, one a line in JSON.
  var data: [UInt8] = []

  /// Reads a request in Protobuf.
  ///
  /// - Throws: for what is not such a message.
  init(protobuf body: UnsafeRawBufferPointer) throws(ProtobufError) {
    var reader = ProtobufReader(body)
    try reader.readFields { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: node = try reader.readString()
      case 2: session = try reader.readString()
      case 3: data = Array(try reader.readBytes())
      default: break
      }
    }
  }

  /// Reads a request in JSON.
  ///
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

extension EmulationRequest {
  /// Reads a body; nil if it is none.
  init?(_ body: [UInt8], _ encoding: ClientEncoding) {
    let request = body.withUnsafeBytes { body in
      encoding == .json ? try? EmulationRequest(body) : try? EmulationRequest(protobuf: body)
    }
    guard let request else { return nil }
    self = request
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
