import Bytes
import WebSocketCore

/// A message that is being sent in fragments, and the whole messages that wait for its end: RFC 6455 §5.4 lets no other
/// message come between.
final class OutgoingMessage {
  enum Waiting {
    case message([UInt8], MessageKind)
    case frame(SharedBytes)
    case prepared(PreparedMessage)
  }

  let kind: MessageKind
  let compressor: FragmentCompressor?
  var isFirst = true
  private(set) var waiting: [Waiting] = []
  /// The size of what waits, in bytes.
  private(set) var waitingBytes = 0

  init(kind: MessageKind, compressor: FragmentCompressor?) {
    self.kind = kind
    self.compressor = compressor
  }

  func hold(_ message: Waiting) {
    waiting.append(message)
    switch message {
    case .message(let bytes, _): waitingBytes += bytes.count
    case .frame(let frame): waitingBytes += frame.count
    case .prepared(let message): waitingBytes += message.frame.count
    }
  }
}
