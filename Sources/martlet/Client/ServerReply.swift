import JSON

/// One object from a Centrifugo server, as far as the program needs it.
struct ServerReply: Equatable {
  enum Body: Equatable {
    /// An empty object: the server wants to know whether we are there.
    case ping
    case failed(ServerError)
    case connected(client: String, pingMilliseconds: UInt64, wantsPong: Bool)
    case subscribed(SubscribeReply)
    case publication(channel: String, ReceivedPublication)
    case unsubscribed(channel: String, code: Int, reason: String)
    case disconnected(code: Int, reason: String)
    /// A reply without news (to a publish command) or a push that we have no use for.
    case other
  }

  /// The command that is answered; 0 for a push.
  var id: UInt64
  var body: Body
}

/// An error of the client protocol.
struct ServerError: Equatable {
  var code: Int
  var message: String
  var isTemporary: Bool
}

struct SubscribeReply: Equatable {
  var isRecoverable = false
  var epoch = ""
  var offset: UInt64 = 0
  var wasRecovering = false
  var isRecovered = false
  /// Whether the server takes acknowledgements: an extension that other servers do not have.
  var isConsuming = false
  var publications: [ReceivedPublication] = []
}

/// A publication: the text as the server wrote it, and what we look at ourselves.
struct ReceivedPublication: Equatable {
  /// `{"data":…,"offset":…}`
  var text: [UInt8]
  var data: [UInt8]
  /// 0 where the channel keeps no history.
  var offset: UInt64
}

extension ServerReply {
  /// Decodes a message: one object a line.
  static func decode(_ message: UnsafeRawBufferPointer) throws(JSONError) -> [ServerReply] {
    var replies: [ServerReply] = []
    for line in message.split(separator: UInt8(ascii: "\n")) {
      var reader = JSONReader(UnsafeRawBufferPointer(rebasing: line))
      replies.append(try ServerReply(&reader))
      try reader.finish()
    }
    return replies
  }

  private init(_ reader: inout JSONReader) throws(JSONError) {
    var id: UInt64 = 0
    var body: Body?
    var isEmpty = true
    try reader.readObject { (reader, key) throws(JSONError) in
      isEmpty = false
      switch key {
      case "id": id = try reader.readUInt64()
      case "error": body = .failed(try ServerError(&reader))
      case "connect": body = try Self.connected(&reader)
      case "subscribe": body = .subscribed(try SubscribeReply(&reader))
      case "push": body = try Self.push(&reader)
      default: break
      }
    }
    self.id = id
    self.body = body ?? (isEmpty ? .ping : .other)
  }

  private static func connected(_ reader: inout JSONReader) throws(JSONError) -> Body {
    var client = ""
    var seconds: UInt64 = 0
    var wantsPong = false
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "client": client = try reader.readString()
      case "ping": seconds = try reader.readUInt64()
      case "pong": wantsPong = try reader.readBool()
      default: break
      }
    }
    return .connected(client: client, pingMilliseconds: min(seconds, 86_400) * 1_000, wantsPong: wantsPong)
  }

  private static func push(_ reader: inout JSONReader) throws(JSONError) -> Body {
    var channel = ""
    var publication: ReceivedPublication?
    var ended: (isConnection: Bool, code: Int, reason: String)?
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "channel": channel = try reader.readString()
      case "pub": publication = try ReceivedPublication(&reader)
      case "unsubscribe", "disconnect":
        let isConnection = key == "disconnect"
        let error = try ServerError(&reader)
        ended = (isConnection, error.code, error.message)
      default: break
      }
    }
    if let publication { return .publication(channel: channel, publication) }
    switch ended {
    case (true, let code, let reason)?: return .disconnected(code: code, reason: reason)
    case (false, let code, let reason)?: return .unsubscribed(channel: channel, code: code, reason: reason)
    case nil: return .other
    }
  }
}

extension ServerError {
  /// `{"code":…,"message":…,"temporary":…}`, or the same with a `reason`.
  fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
    var error = ServerError(code: 0, message: "", isTemporary: false)
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "code": error.code = Int(truncatingIfNeeded: try reader.readInt64())
      case "message", "reason": error.message = try reader.readString()
      case "temporary": error.isTemporary = try reader.readBool()
      default: break
      }
    }
    self = error
  }
}

extension SubscribeReply {
  fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
    var reply = SubscribeReply()
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "recoverable": reply.isRecoverable = try reader.readBool()
      case "epoch": reply.epoch = try reader.readString()
      case "offset": reply.offset = try reader.readUInt64()
      case "was_recovering": reply.wasRecovering = try reader.readBool()
      case "consumer": reply.isConsuming = try !reader.readString().isEmpty
      case "recovered": reply.isRecovered = try reader.readBool()
      case "publications":
        try reader.readArray { (reader) throws(JSONError) in
          reply.publications.append(try ReceivedPublication(&reader))
        }
      default: break
      }
    }
    self = reply
  }
}

extension ReceivedPublication {
  fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
    let raw = try reader.readRaw()
    var publication = ReceivedPublication(text: Array(raw), data: [], offset: 0)
    var inner = JSONReader(raw)
    try inner.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "data": publication.data = Array(try reader.readRaw())
      case "offset": publication.offset = try reader.readUInt64()
      default: break
      }
    }
    self = publication
  }
}
