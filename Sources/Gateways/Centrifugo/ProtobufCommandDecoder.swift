import Bytes
import Realtime

/// Reads one Protobuf command: `Command` in client.proto. The numbers are the field numbers there; the first field that
/// names a method counts.
enum ProtobufCommandDecoder {
  /// - Throws: for what is no message, or has a field of the wrong kind.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> CentrifugoCommand {
    var reader = ProtobufReader(bytes)
    var command = CentrifugoCommand()
    try reader.readFields { (reader, number) throws(ProtobufError) in
      switch number {
      // A uint32 is what its varint's lowest 32 bits say.
      case 1: command.id = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 4...15, MartletField.acknowledge:
        if command.request == nil { command.request = try request(number, &reader) }
      default: break
      }
    }
    return command
  }

  private static func request(
    _ number: Int, _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> CentrifugoCommand.Request? {
    switch number {
    case 4: return .connect(try connect(&reader))
    case 5: return .subscribe(try subscribe(&reader))
    case 6: return .unsubscribe(channel: try channel(&reader).channel)
    case 7:
      let (channel, data) = try channelAndBytes(&reader)
      return .publish(channel: channel, data: data)
    case 8: return .presence(channel: try channel(&reader).channel)
    case 9: return .presenceStats(channel: try channel(&reader).channel)
    case 10: return try history(&reader)
    case 11:
      _ = try reader.readBytes()
      return .ping
    case 12: return .send(data: try call(&reader).data)
    case 13: return .rpc(try call(&reader))
    case 14: return .refresh(token: try channel(&reader).channel)
    case 15:
      let (channel, token) = try channel(&reader)
      return .subscriptionRefresh(channel: channel, token: token)
    case MartletField.acknowledge: return try acknowledgement(&reader)
    default: return nil
    }
  }

  private static func acknowledgement(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> CentrifugoCommand.Request {
    var channel = ""
    var offset: UInt64 = 0
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: channel = try reader.readString()
      case 2: offset = try reader.readVarint()
      default: break
      }
    }
    return .acknowledge(channel: channel, offset: offset)
  }

  /// The requests that are a string (`channel`, of `RefreshRequest` `token`), or two.
  private static func channel(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> (channel: String, token: String) {
    var strings = (channel: "", token: "")
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: strings.channel = try reader.readString()
      case 2: strings.token = try reader.readString()
      default: break
      }
    }
    return strings
  }

  private static func channelAndBytes(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> (channel: String, data: SharedBytes?) {
    var channel = ""
    var data: SharedBytes?
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: channel = try reader.readString()
      case 2: data = try reader.readShared()
      default: break
      }
    }
    return (channel, data)
  }

  private static func call(_ reader: inout ProtobufReader) throws(ProtobufError) -> SessionCallRequest {
    var call = SessionCallRequest(method: "", data: SharedBytes.make(copying: []))
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: call.data = try reader.readShared() ?? call.data
      case 2: call.method = try reader.readString()
      default: break
      }
    }
    return call
  }

  private static func connect(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> CentrifugoCommand.ConnectRequest {
    var request = CentrifugoCommand.ConnectRequest()
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: request.token = try reader.readString()
      case 2: request.data = try reader.readShared()
      case 3:
        let (channel, subscription) = try entry(&reader)
        request.channels.append(channel)
        request.positions[channel] = subscription.position
      case 4: request.name = try reader.readString()
      case 5: request.version = try reader.readString()
      case 6: request.headers.append(try header(&reader))
      default: break
      }
    }
    return request
  }

  /// An entry of the map `subs`.
  private static func entry(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> (String, CentrifugoCommand.SubscribeRequest) {
    var channel = ""
    var subscription = CentrifugoCommand.SubscribeRequest()
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: channel = try reader.readString()
      case 2: subscription = try subscribe(&reader)
      default: break
      }
    }
    return (channel, subscription)
  }

  /// An entry of the map `headers`.
  private static func header(_ reader: inout ProtobufReader) throws(ProtobufError) -> (String, String) {
    let (name, value) = try channel(&reader)
    return (name, value)
  }

  private static func subscribe(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> CentrifugoCommand.SubscribeRequest {
    var request = CentrifugoCommand.SubscribeRequest()
    var position = StreamPosition()
    var recovers = false
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: request.channel = try reader.readString()
      case 2: request.token = try reader.readString()
      case 3: recovers = try reader.readBool()
      case 6: position.epoch = try reader.readString()
      case 7: position.offset = try reader.readVarint()
      case 8: request.data = try reader.readShared()
      case 9: request.wantsPosition = try reader.readBool()
      case 10: request.wantsRecovery = try reader.readBool()
      case 12: request.delta = try reader.readString()
      case 13: request.filter = try reader.readFilter()
      case 11: request.wantsJoinLeave = try reader.readBool()
      case 14: request.flags = try reader.readVarint()
      case MartletField.consumer: request.consumer = try reader.readString()
      default: break
      }
    }
    if recovers { request.position = position }
    return request
  }

  private static func history(
    _ reader: inout ProtobufReader
  ) throws(ProtobufError) -> CentrifugoCommand.Request {
    var channel = ""
    var query = HistoryQuery()
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: channel = try reader.readString()
      case 7:
        let limit = Int32(truncatingIfNeeded: try reader.readVarint())
        // Negative: as many as the namespace gives at once.
        query.limit = limit < 0 ? nil : Int(limit)
      case 8: query.since = try position(&reader)
      case 9: query.reverse = try reader.readBool()
      default: break
      }
    }
    return .history(channel: channel, query)
  }

  private static func position(_ reader: inout ProtobufReader) throws(ProtobufError) -> StreamPosition {
    var position = StreamPosition()
    try reader.readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: position.offset = try reader.readVarint()
      case 2: position.epoch = try reader.readString()
      default: break
      }
    }
    return position
  }
}

/// Numbers of the fields that are no part of client.proto: far from those that are, and from those that may be one day.
enum MartletField {
  /// `ack` of `Command` and `Reply`.
  static let acknowledge = 1_001
  /// `consumer` of `SubscribeRequest` and `SubscribeResult`.
  static let consumer = 1_001
}

extension ProtobufReader {
  /// Reads `bytes`, copied; nil for none, which is what proto3 has no other word for.
  fileprivate mutating func readShared() throws(ProtobufError) -> SharedBytes? {
    let bytes = try readBytes()
    return bytes.isEmpty ? nil : SharedBytes.make(copying: bytes)
  }
}
