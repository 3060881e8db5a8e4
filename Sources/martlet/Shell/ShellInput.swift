import WebSocketCore

/// What a line typed into the shell asks for.
enum ShellInput: Equatable {
  case send(String)
  case sendBytes([UInt8])
  case sendFile(String)
  case ping
  case close(CloseCode, reason: String)
  case info
  case help
  case quit
  /// The line cannot be used: why.
  case wrong(String)

  /// Reads a line. What begins with `/` is a command, what begins with `//` the message behind the first slash.
  init(_ line: String) {
    guard line.hasPrefix("/"), !line.hasPrefix("//") else {
      self = .send(line.hasPrefix("//") ? String(line.dropFirst()) : line)
      return
    }
    let name = String(line.dropFirst().prefix { !$0.isWhitespace })
    let rest = trimmingSpaces(line.dropFirst(name.count + 1))
    switch name {
    case "ping": self = .ping
    case "info": self = .info
    case "help", "h", "?": self = .help
    case "quit", "q", "exit": self = .quit
    case "close": self = Self.close(rest)
    case "binary":
      let bytes = HexDump.bytes(rest)
      self =
        bytes.map { $0.isEmpty ? .wrong("/binary needs bytes: /binary 48 65 6c 6c 6f") : .sendBytes($0) }
        ?? .wrong("/binary takes pairs of hexadecimal digits: /binary 48 65 6c 6c 6f")
    case "file": self = rest.isEmpty ? .wrong("/file needs a path: /file message.json") : .sendFile(rest)
    default:
      let hint = Suggestion.clause(for: name, among: Self.names, prefix: "/", otherwise: "; /help lists them")
      self = .wrong("there is no command /\(name)\(hint). To send a message that begins with /, type //")
    }
  }

  static let names = ["ping", "close", "binary", "file", "info", "help", "quit"]

  private static func close(_ rest: String) -> ShellInput {
    guard !rest.isEmpty else { return .close(.normal, reason: "") }
    let word = rest.prefix { !$0.isWhitespace }
    let reason = trimmingSpaces(rest[word.endIndex...])
    guard let number = UInt16(word), CloseCode(rawValue: number).isSendable else {
      return .wrong("/close takes a code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999")
    }
    guard reason.utf8.count <= 123 else { return .wrong("a close reason has at most 123 bytes") }
    return .close(CloseCode(rawValue: number), reason: reason)
  }

  static let helpText = """
    TEXT                   send a text message (//text sends /text)
    /binary 48 65 6c       send a binary message
    /file PATH             send a file: as text if it is UTF-8, else as binary
    /ping                  send a ping, and show how long its pong takes
    /close [CODE [REASON]] complete the closing handshake
    /info                  show the connection and the server's response
    /help                  show this
    /quit                  close and leave; so does Ctrl-D
    """
}
