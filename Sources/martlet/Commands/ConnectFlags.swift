import HTTPCore
import WebSocketCore
import WebSockets

/// The flags of `martlet connect`.
enum ConnectFlags {
  private static let header = Flag(
    "header", .header, repeatable: true, help: "further header field of the request")
  private static let cookie = Flag("cookie", .cookie, repeatable: true, help: "cookie to send")
  private static let user = Flag(
    "user", .text("NAME:PASSWORD"), help: "name and password for Basic authentication")
  private static let subprotocol = Flag(
    "subprotocol", .text("NAME"), repeatable: true, help: "subprotocol to offer, the preferred one first")
  private static let origin = Flag("origin", .text("ORIGIN"), help: "origin to claim, as a browser would")
  private static let proxy = Flag(
    "proxy", .text("URL"), default: "what HTTP_PROXY, ALL_PROXY and NO_PROXY say",
    help: "proxy to go through: http://[user:password@]host:port or socks5://...; 'none' goes directly")
  private static let redirects = Flag(
    "redirects", .integer("COUNT", in: 0...20), default: "5", help: "redirects to follow")
  private static let ping = Flag(
    "ping", .duration, default: "25s", help: "silence after which a ping is sent; 0 sends none")
  private static let maximumMessage = Flag(
    "max-message", .bytes(in: 1...1 << 30), default: "16MiB", help: "largest message to take")
  static let timeout = Flag(
    "timeout", .duration, default: "10s",
    help: "time to connect; 'connect --one' also waits so long for the message")
  static let wait = Flag(
    "wait", .duration, default: "1s for a pipe, 0 for a terminal",
    help: "how long to go on receiving after the end of the input")
  static let one = Switch("one", help: "leave after the first message")
  static let reconnect = Switch(
    "reconnect", help: "come back when the connection is lost; what is typed meanwhile waits for it")
  static let json = Switch(
    "json", help: "print each message, and the closure, as a JSON object with type, data, code, reason")
  static let binary = Flag(
    "binary", .choice(MessageFormat.Binary.self, "base64|hex"), default: "base64",
    help: "how binary messages are printed in a pipe")

  private static let deflate = Switch("deflate", help: "offer compression (permessage-deflate)")

  static let all: [any FlagDescription] =
    [
      header, cookie, user, subprotocol, origin, proxy, redirects, ping, maximumMessage, timeout, wait, one,
      reconnect,
      json,
      binary, deflate,
    ] + ClientTLS.flags

  /// Those of them that are about the opening handshake, which other commands share.
  static let handshake: [any FlagDescription] =
    [header, cookie, user, subprotocol, origin, proxy, timeout, deflate]

  static func options(_ arguments: Arguments) throws(Problem) -> WebSocketClientOptions {
    var options = WebSocketClientOptions()
    for (name, value) in arguments.allValues(header) { options.fields.append(name, value) }
    options.cookies = arguments.allValues(cookie)
    if let text = arguments.value(user) { options.fields.set("Authorization", try authorization(text)) }
    options.subprotocols = arguments.allValues(subprotocol)
    options.origin = arguments.value(origin)
    options.tls = try ClientTLS.options(arguments)
    // A proxy is trusted as the server is; our certificate is for the server alone.
    options.proxyTLS.verification = options.tls.verification
    if let text = arguments.value(proxy) { options.proxy = text == "none" ? .none : .url(text) }
    if let count = arguments.value(redirects) { options.maximumRedirects = count }
    if let seconds = arguments.value(timeout) {
      options.connectTimeoutMilliseconds = UInt64(clamping: seconds) * 1_000
      options.handshakeTimeoutMilliseconds = options.connectTimeoutMilliseconds
    }
    if let seconds = arguments.value(ping) {
      options.socket.keepaliveIntervalMilliseconds = UInt64(clamping: seconds) * 1_000
    }
    if arguments.has(deflate) { options.socket.compression = .standard }
    let largest = arguments.value(maximumMessage) ?? 16 << 20
    options.socket.limits = WebSocketLimits(maximumMessageBytes: largest)
    options.socket.maximumQueuedBytes = 64 << 20
    options.socket.closeTimeoutMilliseconds = 2_000
    return options
  }

  private static func authorization(_ text: String) throws(Problem) -> String {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard
      let credentials = BasicCredentials(
        user: String(parts[0]), password: parts.count > 1 ? String(parts[1]) : "")
    else { throw .usage("--user: the name or password has a control character") }
    return credentials.fieldValue
  }
}

extension ValueKind where Value == (name: String, value: String) {
  /// `Name: value`
  static var header: ValueKind {
    ValueKind(
      placeholder: "'NAME: VALUE'",
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw, let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
          throw BadValue("is not a header field such as 'Authorization: Bearer abc'")
        }
        let name = String(text[..<colon])
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains(where: \.isNewline) else {
          throw BadValue("is not a header field: its name has blanks, or it has several lines")
        }
        return (name, trimmingSpaces(text[text.index(after: colon)...]))
      },
      show: { "\"\($0.name): \($0.value)\"" })
  }

  /// `name=value`
  static var cookie: ValueKind {
    ValueKind(
      placeholder: "NAME=VALUE",
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw, let sign = text.firstIndex(of: "="), sign > text.startIndex else {
          throw BadValue("is not a cookie such as session=abc")
        }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
      },
      show: { "\"\($0.name)=\($0.value)\"" })
  }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of a few words.
  static func choice(_ type: Value.Type, _ placeholder: String) -> ValueKind {
    ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        guard case .text(let text) = raw, let value = Value(rawValue: text) else {
          throw BadValue("is not one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
      },
      show: { "\"\($0.rawValue)\"" })
  }
}
