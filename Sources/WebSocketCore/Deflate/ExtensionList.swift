import HTTPCore

/// One extension of a `Sec-WebSocket-Extensions` field, with its parameters in order (RFC 6455 §9.1).
public struct ExtensionOffer: Sendable, Hashable {
  /// A parameter; its value is nil where there is no `=`.
  public struct Parameter: Sendable, Hashable {
    /// The name, as it was sent.
    public let name: String
    /// The token, or the content of the quoted string.
    public let value: String?
  }

  /// The extension's token.
  public let name: String
  /// The parameters.
  public let parameters: [Parameter]

  /// Reads all `Sec-WebSocket-Extensions` fields of a head, as if they were one (RFC 6455 §9.1).
  ///
  /// - Returns: nil if they do not follow the grammar.
  public static func all(in fields: HTTPFields) -> [ExtensionOffer]? {
    var offers: [ExtensionOffer] = []
    for value in fields.values(of: "Sec-WebSocket-Extensions") {
      var scanner = ExtensionScanner(bytes: Array(value.utf8))
      guard let found = scanner.readList() else { return nil }
      offers += found
    }
    return offers
  }
}

/// Walks the grammar of RFC 6455 §9.1:
///
///     extension-list  = 1#extension
///     extension       = extension-token *( ";" extension-param )
///     extension-param = token [ "=" (token | quoted-string) ]
private struct ExtensionScanner {
  let bytes: [UInt8]
  var position = 0

  mutating func readList() -> [ExtensionOffer]? {
    var offers: [ExtensionOffer] = []
    while true {
      skipSpace()
      // RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements".
      if take(UInt8(ascii: ",")) { continue }
      guard position < bytes.count else { return offers }
      guard let offer = readExtension() else { return nil }
      offers.append(offer)
      guard position == bytes.count || take(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func readExtension() -> ExtensionOffer? {
    guard let name = readToken() else { return nil }
    var parameters: [ExtensionOffer.Parameter] = []
    skipSpace()
    while take(UInt8(ascii: ";")) {
      skipSpace()
      guard let name = readToken() else { return nil }
      skipSpace()
      var value: String?
      if take(UInt8(ascii: "=")) {
        skipSpace()
        value = peek == UInt8(ascii: "\"") ? readQuoted() : readToken()
        if value == nil { return nil }
      }
      parameters.append(ExtensionOffer.Parameter(name: name, value: value))
      skipSpace()
    }
    return ExtensionOffer(name: name, parameters: parameters)
  }

  private mutating func readToken() -> String? {
    let start = position
    while let byte = peek, ASCII.isToken(byte) { position += 1 }
    return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// RFC 6455 §9.1: "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform
  /// to the 'token' ABNF."
  private mutating func readQuoted() -> String? {
    position += 1
    var content: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        return content.isEmpty ? nil : String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = peek, ASCII.isToken(escaped) else { return nil }
        position += 1
        content.append(escaped)
      default:
        guard ASCII.isToken(byte) else { return nil }
        content.append(byte)
      }
    }
    return nil
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
  }
}
