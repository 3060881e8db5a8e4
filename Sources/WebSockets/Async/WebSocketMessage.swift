import Bytes
import WebSocketCore

/// A whole message.
public enum WebSocketMessage: Sendable, Hashable {
  /// A text message.
  case text(String)
  /// A binary message.
  case binary([UInt8])

  init(_ payload: UnsafeRawBufferPointer, _ kind: MessageKind) {
    switch kind {
    case .text: self = .text(String(validated: payload))
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

extension String {
  /// A copy of text that the decoder has found to be UTF-8, which is not validated a second time.
  fileprivate init(validated text: UnsafeRawBufferPointer) {
    let bytes = text.bindMemory(to: UInt8.self)
    self.init(copying: UTF8Span(unchecked: bytes.span, isKnownASCII: UTF8Validator.isASCII(text)))
  }
}

extension WebSocketConnection {
  /// Sends a message.
  ///
  /// - Returns: false if the connection is closing or closed and the message was dropped.
  func send(_ message: WebSocketMessage) -> Bool {
    switch message {
    case .text(let text): send(text)
    case .binary(let bytes): bytes.withUnsafeBytes { send($0, .binary) }
    }
  }
}
