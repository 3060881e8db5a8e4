import HTTPCore
import WebSocketCore
import WebSockets

/// `martlet connect`
enum ConnectCommand: Command {
  static let description = CommandDescription(
    name: "connect", summary: "Talk to a WebSocket server: lines in, messages out",
    discussion: [
      "On a terminal it is a shell: what is typed is sent line by line, with history (arrow keys) and commands such"
        + " as /ping and /help, and messages are shown above the line, JSON laid out, binary ones as a hex dump."
        + " Ctrl-D closes the connection.",
      "In a pipe every line of standard input is sent as a text message, and every message is printed as a line.",
    ],
    operands: [Operand(name: "URL")],
    flags: ConnectFlags.all,
    examples: [
      .init(purpose: "Talk to 'martlet echo'.", line: "martlet connect ws://127.0.0.1:9001"),
      .init(purpose: "In a script.", line: "echo hello | martlet connect ws://127.0.0.1:9001"),
      .init(
        purpose: "One answer, or none within five seconds.",
        line: "echo hello | martlet connect ws://127.0.0.1:9001 --one --timeout 5s"),
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
      (.failure, "no connection, or no message in time with --one"),
      (.usage, "the command line cannot be used as given"),
      (.refused, "the server refused the WebSocket with an HTTP status"),
      (.closedAbnormally, "the connection was closed with any other code, or without a closing handshake"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let text = arguments.operands[0]
    let url: WebURL
    do {
      url = try WebURL(text)
    } catch {
      throw Problem.usage(Explanation.sentence("\(error)"))
    }
    let options = try ConnectFlags.options(arguments)
    let start = ContinuousClock.now
    let socket: any ConnectedSocket
    var agreed = ""
    do {
      if arguments.has(ConnectFlags.reconnect) {
        let returning = ReturningSocket(text, options: options)
        returning.tell { Terminal.note(Terminal.dimNote($0)) }
        try await returning.connect()
        socket = returning
      } else {
        let single = try await WebSocket.connect(to: text, options: options)
        agreed = self.agreed(single)
        socket = SingleSocket(socket: single)
      }
    } catch {
      throw problem(error)
    }
    let time = Milliseconds.text(start.duration(to: .now))
    if RawTerminal.isUsable, !arguments.has(ConnectFlags.one), !arguments.has(ConnectFlags.json) {
      return try await ShellCommandLoop(socket: socket).run("connected to \(url) in \(time)\(agreed)")
    }
    if Terminal.isInputTerminal { Terminal.note(Terminal.dimNote("connected in \(time)\(agreed)")) }
    return try await PipedSession(socket: socket, arguments: arguments).run()
  }

  /// The subprotocol and the extensions in use.
  private static func agreed(_ socket: WebSocket) -> String {
    let extensions = socket.responseFields.values(of: "Sec-WebSocket-Extensions").joined(separator: ", ")
    return (socket.subprotocol.map { ", subprotocol \($0)" } ?? "")
      + (extensions.isEmpty ? "" : ", extensions \(extensions)")
  }

  private static func problem(_ error: WebSocketError) -> Problem {
    let status: ExitStatus =
      switch error.code {
      case .invalidURL, .invalidOptions, .invalidProxy: .usage
      case .handshakeFailed, .redirectRefused: error.status == nil ? .failure : .refused
      default: .failure
      }
    return Problem(message: Explanation.of(error), status: status)
  }
}

/// How a connection ended, for people and scripts.
enum Closure {
  /// `closed with 1011: "oops"`
  static func text(_ code: CloseCode, _ reason: String) -> String {
    let why = reason.isEmpty ? "" : ": \(quoted(reason, limit: 123))"
    switch code {
    case .noStatus: return "closed without a code\(why)"
    case .abnormal: return "the connection was lost (1006)\(why)"
    default: return "closed with \(code)\(why)"
    }
  }

  /// Closed normally, or else a problem.
  static func status(_ code: CloseCode, _ reason: String) throws(Problem) -> ExitStatus {
    switch code {
    case .normal, .goingAway, .noStatus: return .success
    default: throw Problem(message: text(code, reason), status: .closedAbnormally)
    }
  }
}
