import JSON

/// A command to a Centrifugo server. `id` counts up from 1 on each connection.
enum ClientCommand: Equatable {
  case connect(token: String?, data: [UInt8]?)
  case subscribe(channel: String, token: String?, consumer: String? = nil, recover: StreamPlace?)
  case publish(channel: String, data: [UInt8])
  /// All up to the offset are dealt with. It has no identifier, and no reply.
  case acknowledge(channel: String, offset: UInt64)
  /// The answer to a ping.
  case pong

  /// Where in a channel's stream a client stands.
  struct StreamPlace: Equatable {
    var epoch: String
    var offset: UInt64
  }

  func encoded(id: UInt64) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    if hasReply {
      writer.key("id")
      writer.number(id)
    }
    switch self {
    case .pong: break
    case .connect(let token, let data):
      writer.key("connect")
      writer.beginObject()
      if let token {
        writer.key("token")
        writer.string(token)
      }
      if let data {
        writer.key("data")
        writer.raw(data)
      }
      writer.key("name")
      writer.string("martlet")
      writer.key("version")
      writer.string(Version.number)
      writer.endObject()
    case .subscribe(let channel, let token, let consumer, let place):
      writer.key("subscribe")
      writer.beginObject()
      writer.key("channel")
      writer.string(channel)
      if let token {
        writer.key("token")
        writer.string(token)
      }
      if let consumer {
        writer.key("consumer")
        writer.string(consumer)
      }
      writer.key("recoverable")
      writer.bool(true)
      if let place {
        writer.key("recover")
        writer.bool(true)
        writer.key("epoch")
        writer.string(place.epoch)
        writer.key("offset")
        writer.number(place.offset)
      }
      writer.endObject()
    case .publish(let channel, let data):
      writer.key("publish")
      writer.beginObject()
      writer.key("channel")
      writer.string(channel)
      writer.key("data")
      writer.raw(data)
      writer.endObject()
    case .acknowledge(let channel, let offset):
      writer.key("ack")
      writer.beginObject()
      writer.key("channel")
      writer.string(channel)
      writer.key("offset")
      writer.number(offset)
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes
  }

  private var hasReply: Bool {
    switch self {
    case .pong, .acknowledge: false
    case .connect, .subscribe, .publish: true
    }
  }
}
