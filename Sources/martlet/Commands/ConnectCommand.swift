import HTTPCore
import WebSocketCore
import WebSockets

/// `martlet connect`
enum ConnectCommand: Command {
  private static let header = Flag(
    "header", .header, repeatable: true, help: "further header field of the request")
  private static let subprotocol = Flag(
    "subprotocol", .text("NAME"), repeatable: true, help: "subprotocol to offer, the preferred one first")
  private static let origin = Flag("origin", .text("ORIGIN"), help: "origin to claim, as a browser would")
  private static let proxy = Flag(
    "proxy", .text("URL"), default: "what HTTP_PROXY, ALL_PROXY and NO_PROXY say",
    help: "proxy to go through: http://[user:password@]host:port or socks5://...; 'none' goes directly")
  private static let wait = Flag(
    "wait", .duration, default: "1s for a pipe, 0 for a terminal",
    help: "how long to go on receiving after the end of the input")
  private static let maximumMessage = Flag(
    "max-message", .bytes(in: 1...1 << 30), default: "16MiB", help: "largest message to take")

  static let description = CommandDescription(
    name: "connect", summary: "Talk to a WebSocket server: lines in, messages out",
    discussion: [
      "Every line of standard input is sent as a text message, and every message that arrives is printed as a"
        + " line on standard output (binary ones in hexadecimal). Ctrl-D closes the connection."
    ],
    operands: [Operand(name: "URL")],
    flags: [
      header, subprotocol, origin, proxy, wait, maximumMessage,
      Switch("deflate", unavailable: Unavailable.deflate),
    ] + ClientTLS.flags,
    examples: [
      .init(purpose: "Talk to 'martlet echo'.", line: "martlet connect ws://127.0.0.1:9001"),
      .init(purpose: "In a script.", line: "echo hello | martlet connect ws://127.0.0.1:9001"),
      .init(
        purpose:
          "Speak the client protocol by hand with 'martlet serve --demo': type {\"id\":1,\"connect\":{}}.",
        line: "martlet connect ws://127.0.0.1:8000/connection/websocket"),
      .init(
        purpose: "By TLS, with a server whose certificate your own authority has issued.",
        line: "martlet connect wss://127.0.0.1:9001 --ca authority.pem"),
    ],
    exitStatuses: [
      (.success, "closed normally: by us, or by the server with 1000, 1001 or without a code"),
      (.failure, "no connection, or any other closure"),
      (.usage, "the command line cannot be used as given"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    do {
      _ = try WebURL(arguments.operands[0])
    } catch {
      throw Problem.usage(Explanation.sentence("\(error)"))
    }
    let options = try options(arguments)
    let socket: WebSocket
    do {
      socket = try await WebSocket.connect(to: arguments.operands[0], options: options)
    } catch {
      throw Problem.failure(Explanation.of(error))
    }
    let agreed = socket.subprotocol.map { ", subprotocol \($0)" } ?? ""
    if Terminal.isInputTerminal { Terminal.note(Terminal.dimNote("connected\(agreed); Ctrl-D closes")) }
    let pause = arguments.value(wait) ?? (Terminal.isInputTerminal ? 0 : 1)
    let sending = Task { await send(StandardInput(), to: socket, pause: pause) }
    defer { sending.cancel() }
    return try await receive(from: socket)
  }

  private static func options(_ arguments: Arguments) throws(Problem) -> WebSocketClientOptions {
    var options = WebSocketClientOptions()
    for (name, value) in arguments.allValues(header) { options.fields.append(name, value) }
    options.subprotocols = arguments.allValues(subprotocol)
    options.origin = arguments.value(origin)
    options.tls = try ClientTLS.options(arguments)
    if let text = arguments.value(proxy) { options.proxy = text == "none" ? .none : .url(text) }
    let largest = arguments.value(maximumMessage) ?? 16 << 20
    options.socket.limits = WebSocketLimits(maximumMessageBytes: largest)
    options.socket.maximumQueuedBytes = 64 << 20
    return options
  }

  private static func send(_ lines: StandardInput, to socket: WebSocket, pause: Int) async {
    do {
      for await line in lines {
        if let text = String(validating: line, as: UTF8.self) {
          try await socket.send(text)
        } else {
          // A text message must be UTF-8 (RFC 6455 §5.6), so other bytes go as they are.
          try await socket.send(line)
        }
      }
      try await Task.sleep(for: .seconds(pause))
    } catch {
      // The connection has ended, which the receiving side tells.
      return
    }
    await socket.close()
  }

  private static func receive(from socket: WebSocket) async throws -> ExitStatus {
    do {
      for try await message in socket { Terminal.line(shown(message)) }
    } catch {
      let reason = await socket.closeReason
      let code = error.closeCode.map { " with \($0.rawValue)" } ?? ""
      throw Problem.failure("the connection was closed\(code)\(reason.isEmpty ? "" : ": \(quoted(reason))")")
    }
    if Terminal.isInputTerminal {
      let code = await socket.closeCode.map { " (\($0.rawValue))" } ?? ""
      Terminal.note(Terminal.dimNote("closed\(code)"))
    }
    return .success
  }

  private static func shown(_ message: WebSocketMessage) -> String {
    // On a terminal, what arrives must be told from what was typed.
    let mark = Terminal.isOutputTerminal ? Terminal.dim("< ") : ""
    switch message {
    case .text(let text): return mark + text
    case .binary(let bytes):
      let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      return mark + Terminal.dim("binary, \(bytes.count) bytes: ") + digits
    }
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
}
