import HTTPCore

extension WebSocketClientOptions {
  /// Fields that the opening handshake sets, or that would make the request another one (RFC 6455 §4.1).
  private static let reservedFields = [
    "upgrade", "connection", "content-length", "transfer-encoding", "trailer", "te", "expect",
  ]

  /// Refuses what would spoil the request, in words.
  ///
  /// - Throws: `invalidOptions`.
  func checkFields() throws(WebSocketError) {
    for (name, value) in fields {
      let lower = name.lowercased()
      guard !Self.reservedFields.contains(lower), !lower.hasPrefix("sec-websocket-") else {
        let instead =
          lower == "sec-websocket-protocol" ? " Use the option for subprotocols." : ""
        throw invalid("The field \(name) belongs to the opening handshake and cannot be set.\(instead)")
      }
      guard !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken) else {
        throw invalid("“\(name)” is not the name of a header field.")
      }
      guard value.utf8.allSatisfy(ASCII.isFieldValue) else {
        throw invalid("The value of the field \(name) has a control character.")
      }
    }
    guard fields.values(of: "Host").count <= 1 else { throw invalid("The field Host is set twice.") }
    guard subprotocols.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(ASCII.isToken) }) else {
      throw invalid("A subprotocol is not a token: letters, digits and !#$%&'*+-.^_`|~.")
    }
    guard Set(subprotocols).count == subprotocols.count else {
      throw invalid("A subprotocol is offered twice.")
    }
    try checkCookies()
  }

  /// RFC 6265 §4.1.1: a name is a token, a value has neither blanks, quotes, commas, semicolons nor backslashes; it may
  /// stand in quotes as a whole.
  private func checkCookies() throws(WebSocketError) {
    for (name, value) in cookies {
      guard !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken) else {
        throw invalid("“\(name)” is not the name of a cookie.")
      }
      let bytes = value.utf8
      let isQuoted = bytes.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
      let inner = isQuoted ? bytes.dropFirst().dropLast() : bytes[...]
      guard inner.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\",;\\".utf8.contains($0) }) else {
        throw invalid("The value of the cookie \(name) has a character that must be encoded.")
      }
    }
  }

  private func invalid(_ message: String) -> WebSocketError { WebSocketError(.invalidOptions, message) }
}
