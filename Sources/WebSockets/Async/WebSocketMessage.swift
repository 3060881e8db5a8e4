import WebSocketCore

/// A whole message.
public enum WebSocketMessage: Sendable, Hashable {
  /// A text message.
  case text(String)
  /// A binary message.
  case binary([UInt8])

  init(_ payload: UnsafeRawBufferPointer, _ kind: MessageKind) {
    switch kind {
    case .text: self = .text(String(decoding: payload, as: UTF8.self))
    case .binary: self = .binary(Array(payload))
    }
  }

  /// The size of the payload in bytes.
  public var byteCount: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .binary(let bytes): bytes.count
    }
  }
}
