import Bytes

/// How messages follow each other in a body that goes on.
enum StreamFraming {
  /// Server-sent events (HTML standard, “Server-sent events”): `data: …` and an empty line.
  case events
  /// One a line.
  case lines

  var contentType: String {
    switch self {
    case .events: "text/event-stream; charset=utf-8"
    // Proxies and browsers sniff and compress what they take for text.
    case .lines: "application/octet-stream"
    }
  }

  /// The message, framed. It is JSON without line breaks.
  func frame(_ message: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = ByteWriter()
    if self == .events { writer.append("data: ") }
    writer.append(message)
    writer.append(self == .events ? "\n\n" : "\n")
    return writer.bytes
  }
}
