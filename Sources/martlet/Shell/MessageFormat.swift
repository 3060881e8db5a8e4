import Bytes
import JSON
import WebSocketCore
import WebSockets

/// How messages are printed where there is no terminal.
struct MessageFormat: Sendable {
  enum Binary: String, Sendable, CaseIterable {
    case base64, hex
  }

  let binary: Binary
  /// Every message as a JSON object, and the closure, too.
  let isJSON: Bool

  func line(_ message: WebSocketMessage) -> String {
    switch message {
    case .text(let text): isJSON ? object([("type", "text"), ("data", text)]) : text
    case .binary(let bytes):
      isJSON ? object([("type", "binary"), ("data", encoded(bytes))]) : encoded(bytes)
    }
  }

  /// How the connection was closed; nil where it is not to be printed.
  func line(closedWith code: CloseCode, reason: String) -> String? {
    isJSON ? object([("type", "close"), ("reason", reason)], code: code) : nil
  }

  private func object(_ members: [(name: String, value: String)], code: CloseCode? = nil) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    for member in members {
      writer.key(member.name)
      writer.string(member.value)
    }
    if let code {
      writer.key("code")
      writer.number(code.rawValue)
    }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func encoded(_ bytes: [UInt8]) -> String {
    switch binary {
    case .base64: Base64.encode(bytes)
    case .hex: bytes.map(HexDump.hexadecimal).joined()
    }
  }
}
