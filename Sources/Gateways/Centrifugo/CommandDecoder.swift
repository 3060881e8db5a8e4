import Bytes
import JSON
import Realtime

/// Reads one JSON command. Members that are not known are passed over; the first one that names a method counts.
enum CommandDecoder {
  /// The command of one line.
  ///
  /// - Throws: for what is not JSON, or has a member of the wrong kind.
  static func decode(_ line: UnsafeRawBufferPointer) throws(JSONError) -> CentrifugoCommand {
    var reader = JSONReader(line)
    var command = CentrifugoCommand()
    try reader.readObject { (reader, key) throws(JSONError) in
      if key == "id" {
        guard let id = UInt32(exactly: try reader.readUInt64()) else { return }
        command.id = id
      } else if command.request == nil {
        command.request = try request(key, &reader)
      }
    }
    try reader.finish()
    return command
  }

  private static func request(
    _ key: JSONKey, _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.Request? {
    switch key {
    case "connect": return .connect(try connect(&reader))
    case "subscribe": return .subscribe(try subscribe(&reader))
    case "history": return try history(&reader)
    case "send", "rpc": return try call(key, &reader)
    case "ack": return try acknowledgement(&reader)
    case "ping":
      _ = try reader.readRaw()
      return .ping
    case "unsubscribe", "publish", "presence", "presence_stats", "refresh", "sub_refresh":
      return try simple(key, &reader)
    default: return nil
    }
  }

  /// Reads an object's members; `null` counts as absent, except that it is data like any other.
  private static func readMembers(
    _ reader: inout JSONReader, _ member: (inout JSONReader, JSONKey) throws(JSONError) -> Void
  ) throws(JSONError) {
    try reader.readObject { (reader, key) throws(JSONError) in
      if !(key == "data"), try reader.readNull() { return }
      try member(&reader, key)
    }
  }

  private static func simple(
    _ method: JSONKey, _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.Request? {
    var channel = ""
    var token = ""
    var data: SharedBytes?
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "channel": channel = try reader.readString()
      case "token": token = try reader.readString()
      case "data": data = try reader.compacted()
      default: break
      }
    }
    switch method {
    case "unsubscribe": return .unsubscribe(channel: channel)
    case "publish": return .publish(channel: channel, data: data)
    case "presence": return .presence(channel: channel)
    case "presence_stats": return .presenceStats(channel: channel)
    case "refresh": return .refresh(token: token)
    default: return .subscriptionRefresh(channel: channel, token: token)
    }
  }

  private static func call(
    _ method: JSONKey, _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.Request {
    var name = ""
    var data = SharedBytes.make(copying: [])
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "method": name = try reader.readString()
      case "data": data = try reader.compacted()
      default: break
      }
    }
    return method == "rpc" ? .rpc(SessionCallRequest(method: name, data: data)) : .send(data: data)
  }

  private static func connect(
    _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.ConnectRequest {
    var request = CentrifugoCommand.ConnectRequest()
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "token": request.token = try reader.readString()
      case "data": request.data = try reader.compacted()
      case "name": request.name = try reader.readString()
      case "version": request.version = try reader.readString()
      case "headers":
        try reader.readObject { (reader, key) throws(JSONError) in
          request.headers.append((key.string, try reader.readString()))
        }
      case "subs":
        try reader.readObject { (reader, key) throws(JSONError) in
          let channel = key.string
          request.channels.append(channel)
          request.positions[channel] = try subscribe(&reader).position
        }
      default: break
      }
    }
    return request
  }

  private static func subscribe(
    _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.SubscribeRequest {
    var request = CentrifugoCommand.SubscribeRequest()
    var position = StreamPosition()
    var recovers = false
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "channel": request.channel = try reader.readString()
      case "token": request.token = try reader.readString()
      case "data": request.data = try reader.compacted()
      case "recover": recovers = try reader.readBool()
      case "epoch": position.epoch = try reader.readString()
      case "offset": position.offset = try reader.readUInt64()
      case "recoverable": request.wantsRecovery = try reader.readBool()
      case "positioned": request.wantsPosition = try reader.readBool()
      case "delta": request.delta = try reader.readString()
      case "tf": request.filter = try reader.readFilter()
      case "join_leave": request.wantsJoinLeave = try reader.readBool()
      case "consumer": request.consumer = try reader.readString()
      case "flag": request.flags = try reader.readUInt64()
      default: break
      }
    }
    if recovers { request.position = position }
    return request
  }

  private static func acknowledgement(
    _ reader: inout JSONReader
  ) throws(JSONError) -> CentrifugoCommand.Request {
    var channel = ""
    var offset: UInt64 = 0
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "channel": channel = try reader.readString()
      case "offset": offset = try reader.readUInt64()
      default: break
      }
    }
    return .acknowledge(channel: channel, offset: offset)
  }

  private static func history(_ reader: inout JSONReader) throws(JSONError) -> CentrifugoCommand.Request {
    var channel = ""
    var query = HistoryQuery()
    try readMembers(&reader) { (reader, key) throws(JSONError) in
      switch key {
      case "channel": channel = try reader.readString()
      case "limit":
        let limit = try reader.readInt64()
        // Negative: as many as the namespace gives at once.
        query.limit = limit < 0 ? nil : Int(clamping: limit)
      case "reverse": query.reverse = try reader.readBool()
      case "since": query.since = try reader.position()
      default: break
      }
    }
    return .history(channel: channel, query)
  }
}
