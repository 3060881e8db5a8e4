import Bytes

/// How messages follow each other in a body that goes on.
enum StreamFraming {
  /// Server-sent events (HTML standard, “Server-sent events”): `data: …` and an empty line.
  case events
  /// One a line.
  case lines
  /// Each behind its length, as Protobuf has it.
  case delimited

  /// How the messages are spelled.
  var encoding: ClientEncoding { self == .delimited ? .protobuf : .json }

  var contentType: String {
    switch self {
    case .events: "text/event-stream; charset=utf-8"
    // Proxies and browsers sniff and compress what they take for text.
    case .lines, .delimited: "application/octet-stream"
    }
  }

  /// The message, framed. In JSON it has no line breaks; in Protobuf it brings its length along.
  func frame(_ message: UnsafeRawBufferPointer) -> [UInt8] {
    if self == .delimited { return Array(message) }
    var writer = ByteWriter()
    if self == .events { writer.append("data: ") }
    writer.append(message)
    writer.append(self == .events ? "\n\n" : "\n")
    return writer.bytes
  }
}
