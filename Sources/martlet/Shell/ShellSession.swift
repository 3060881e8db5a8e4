import HTTPCore
import WebSocketCore
import WebSockets

/// The shell on a terminal: a line that is edited at the bottom, and above it what happens on the connection.
actor ShellSession {
  private let socket: any ConnectedSocket
  private let style: Style
  private let file: HistoryFile?
  private let print: @Sendable (String) -> Void
  private let columns: @Sendable () -> Int
  private var decoder = KeyDecoder()
  private var editor: LineEditor
  private var view: LineView
  private var isLeaving = false

  init(
    _ socket: any ConnectedSocket, style: Style, file: HistoryFile?,
    print: @escaping @Sendable (String) -> Void,
    columns: @escaping @Sendable () -> Int
  ) {
    self.socket = socket
    self.style = style
    self.file = file
    self.print = print
    self.columns = columns
    editor = LineEditor(history: LineHistory(file?.load() ?? []))
    view = LineView(prompt: "> ", colouredPrompt: style.paint(">", .bold) + " ")
  }

  // MARK: What is shown

  /// Shows lines above the one being typed.
  func show(_ text: String) {
    print("\r\u{1B}[K\(text)\n" + (isLeaving ? "" : line()))
  }

  func note(_ text: String) { show(style.paint(text, .dim)) }

  func show(_ message: WebSocketMessage) {
    let mark = style.paint("<", .cyan) + " "
    switch message {
    case .text(let text):
      show(mark + indented(JSONLayout.of(text, style: style) ?? text.fitForTerminal))
    case .binary(let bytes):
      let size = style.paint("binary, \(bytes.count) \(bytes.count == 1 ? "byte" : "bytes")", .dim)
      show(mark + size + (bytes.isEmpty ? "" : "\n" + HexDump.of(bytes, style: style)))
    }
  }

  /// The lines behind the first stand under it.
  private func indented(_ text: String) -> String { text.replacing("\n", with: "\n  ") }

  private func line() -> String { view.render(editor.characters, cursor: editor.cursor, columns: columns()) }

  /// Wipes the line being typed, for good.
  func end() {
    guard !isLeaving else { return }
    isLeaving = true
    print("\r\u{1B}[K")
  }

  // MARK: What is typed

  /// Handles bytes of the keyboard; false when the shell is to be left.
  func typed(_ bytes: [UInt8]) async -> Bool {
    for key in decoder.decode(bytes) {
      switch editor.handle(key) {
      case nil: break
      case .bell: print("\u{07}")
      case .clearScreen: print("\u{1B}[H\u{1B}[2J")
      case .quit: return false
      case .submit(let line, let isKept):
        if isKept { file?.append(line) }
        if !(await submit(line)) { return false }
      }
    }
    print(line())
    return true
  }

  private func submit(_ line: String) async -> Bool {
    guard !line.isEmpty else {
      show("")
      return true
    }
    show(style.paint(">", .dim) + " " + indented(line.fitForTerminal))
    return await carryOut(ShellInput(line))
  }

  private func carryOut(_ input: ShellInput) async -> Bool {
    do {
      switch input {
      case .send(let text): try await socket.send(.text(text))
      case .sendBytes(let bytes): try await socket.send(.binary(bytes))
      case .sendFile(let path): try await send(file: path)
      case .ping: measure()
      case .close(let code, let reason):
        await socket.close(code: code, reason: reason)
      case .info: note((await socket.facts).joined(separator: "\n").fitForTerminal)
      case .help: note(ShellInput.helpText)
      case .quit: return false
      case .wrong(let complaint): show(style.paint(complaint, .yellow))
      }
    } catch let problem as Problem {
      show(style.paint(problem.message, .yellow))
    } catch {
      // The end of the connection is told by the receiving side.
    }
    return true
  }

  private func send(file path: String) async throws {
    let bytes = try TextFile.read(path)
    if let text = String(validating: bytes, as: UTF8.self) {
      try await socket.send(.text(text))
      note("sent \(bytes.count) bytes as text")
    } else {
      try await socket.send(.binary(bytes))
      note("sent \(bytes.count) bytes as binary")
    }
  }

  /// Not awaited: typing goes on until the pong is there.
  private func measure() {
    Task {
      if let time = await socket.roundTrip() {
        note("pong after \(Milliseconds.text(time))")
      } else {
        note("no pong has come")
      }
    }
  }
}
