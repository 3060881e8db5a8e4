import Bytes
import JSON
import WebSocketCore

/// What the client of a tunnel posts.
struct TunnelRequest {
  /// Empty: a WebSocket is to be opened.
  var session = ""
  /// The subprotocols that are offered for it.
  var protocols: [String] = []
  /// Whether the response is to go on and carry the messages; else they are polled.
  var streams = false
  /// Whether polls are to go on where such a response breaks; then its messages are kept until they have arrived.
  var resumes = false
  /// The number of the last message that has arrived; nil in a post that does not poll.
  var ack: UInt64?
  /// The same in a post that does not poll.
  var seen: UInt64?
  /// The number of the first of `messages`.
  var from: UInt64 = 1
  var messages: [TunnelMessage] = []

  /// - Throws: for what is not JSON, or has a member of the wrong kind.
  init(_ body: UnsafeRawBufferPointer) throws(JSONError) {
    var reader = JSONReader(body)
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "session": session = try reader.readString()
      case "protocols":
        try reader.readArray { (reader) throws(JSONError) in protocols.append(try reader.readString()) }
      case "stream": streams = try reader.readBool()
      case "resume": resumes = try reader.readBool()
      case "ack": ack = try reader.readUInt64()
      case "seen": seen = try reader.readUInt64()
      case "from": from = try reader.readUInt64()
      case "messages":
        try reader.readArray { (reader) throws(JSONError) in messages.append(try TunnelMessage(&reader)) }
      default: break
      }
    }
    try reader.finish()
  }
}

/// A message on its way through a tunnel, in either direction: `{"text":…}`, `{"binary":Base64}`, `{"close":…,"reason":…}`.
enum TunnelMessage: Equatable {
  case text(String)
  case binary([UInt8])
  case close(UInt16, String)
  /// Whatever else is there.
  case unknown

  init(_ reader: inout JSONReader) throws(JSONError) {
    var result = TunnelMessage.unknown
    var reason = ""
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "text": result = .text(try reader.readString())
      case "binary": result = Base64.decode(try reader.readString()).map { .binary($0) } ?? .unknown
      case "close": result = .close(UInt16(clamping: try reader.readUInt64()), "")
      case "reason": reason = try reader.readString()
      default: break
      }
    }
    if case .close(let code, _) = result { result = .close(code, reason) }
    self = result
  }

  /// The message as JSON.
  static func encode(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    switch kind {
    case .text: json.member("text", String(decoding: message, as: UTF8.self))
    case .binary: json.member("binary", Base64.encode(Array(message)))
    }
    json.endObject()
    return json.bytes
  }

  /// The end of the connection as JSON.
  static func encode(_ code: CloseCode, _ reason: String) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("close", UInt32(code.rawValue))
    json.member("reason", reason)
    json.endObject()
    return json.bytes
  }
}
