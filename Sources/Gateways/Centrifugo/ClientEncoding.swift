import Bytes
import Realtime

/// The two spellings of the client protocol.
public enum ClientEncoding: String, Sendable, Hashable {
  /// JSON: all data is JSON, on one line.
  case json
  /// Protobuf: all data is bytes, of which nothing is known.
  case protobuf
}

/// What is spelled: messages as they follow each other on a stream, whatever carries it. In JSON they are separated by
/// line breaks, which are not part of them; in Protobuf each is behind its length.
extension ClientEncoding {
  func encode(_ id: UInt32, _ reply: CentrifugoReply) -> [UInt8] {
    switch self {
    case .json: ReplyEncoder.encode(id, reply)
    case .protobuf: ProtobufReplyEncoder.encode(id, reply)
    }
  }

  func encode(_ push: CentrifugoPush) -> [UInt8] {
    switch self {
    case .json: ReplyEncoder.encode(push)
    case .protobuf: ProtobufReplyEncoder.encode(push)
    }
  }

  /// An empty reply.
  var ping: [UInt8] {
    switch self {
    case .json: Array("{}".utf8)
    case .protobuf: [0]
    }
  }

  /// Calls `body` with the bytes of each command in a message, until it says that it wants no more. False if there is
  /// none, or if the message is cut off.
  func forEachCommand(in message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    switch self {
    case .json:
      var hasCommand = false
      for line in message.split(separator: UInt8(ascii: "\n")) {
        hasCommand = true
        guard body(UnsafeRawBufferPointer(rebasing: line)) else { break }
      }
      return hasCommand
    case .protobuf:
      var reader = ProtobufReader(message)
      guard !reader.isAtEnd else { return false }
      while !reader.isAtEnd {
        guard let command = try? reader.nextDelimited() else { return false }
        guard body(command) else { break }
      }
      return true
    }
  }

  /// Reads one command; nil if it is none.
  func decode(_ command: UnsafeRawBufferPointer) -> CentrifugoCommand? {
    switch self {
    case .json: try? CommandDecoder.decode(command)
    case .protobuf: try? ProtobufCommandDecoder.decode(command)
    }
  }

  /// Whether a command is the answer to a ping, as clients write it.
  func isPong(_ command: UnsafeRawBufferPointer) -> Bool {
    switch self {
    case .json: command.count == 2 && command.elementsEqual("{}".utf8)
    case .protobuf: command.isEmpty
    }
  }
}
