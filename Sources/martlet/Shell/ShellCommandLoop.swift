import WebSocketCore
import WebSockets

/// Runs a ``ShellSession`` between the terminal and the connection until either ends.
struct ShellCommandLoop {
  let socket: any ConnectedSocket

  func run(_ greeting: String) async throws -> ExitStatus {
    guard RawTerminal.begin() else { throw Problem.failure("the terminal cannot be switched to single keys") }
    defer { RawTerminal.restore() }
    Signals.handle { signal in
      RawTerminal.restore()
      Signals.die(of: signal)
    }
    let session = ShellSession(
      socket, style: Style(hasColours: Terminal.hasColours),
      file: HistoryFile(environment: Program.environment()), print: { Terminal.write($0) },
      columns: { RawTerminal.columns })
    socket.tell { text in Task { await session.note(text) } }
    await session.note(greeting + "; /help lists commands, Ctrl-D closes")
    let typing = Task {
      for await bytes in TerminalBytes.stream() {
        if !(await session.typed(bytes)) { break }
      }
      await session.end()
      await socket.close()
    }
    defer { typing.cancel() }
    await socket.receive { message in
      await session.show(message)
      return true
    }
    await session.end()
    RawTerminal.restore()
    let (code, reason) = await socket.ending
    let status = try Closure.status(code, reason)
    Terminal.note(Terminal.dimNote(Closure.text(code, reason)))
    return status
  }
}
