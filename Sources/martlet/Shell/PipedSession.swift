import WebSocketCore
import WebSockets

/// `martlet connect` in a pipe: lines of standard input are messages, messages are lines of standard output.
struct PipedSession: Sendable {
  let socket: any ConnectedSocket
  private let format: MessageFormat
  private let isOne: Bool
  /// Seconds.
  private let pause: Int
  private let timeout: Int

  init(socket: any ConnectedSocket, arguments: Arguments) {
    self.socket = socket
    format = MessageFormat(
      binary: arguments.value(ConnectFlags.binary) ?? .base64, isJSON: arguments.has(ConnectFlags.json))
    isOne = arguments.has(ConnectFlags.one)
    timeout = arguments.value(ConnectFlags.timeout) ?? 10
    pause = arguments.value(ConnectFlags.wait) ?? (isOne ? timeout : Terminal.isInputTerminal ? 0 : 1)
  }

  func run() async throws -> ExitStatus {
    let sending = Task { await send() }
    let watching = isOne ? Task { await watch() } : nil
    defer {
      sending.cancel()
      watching?.cancel()
    }
    var hasMessage = false
    await socket.receive { message in
      Terminal.line(format.line(message))
      hasMessage = true
      return !isOne
    }
    if isOne, hasMessage {
      await socket.close()
      return .success
    }
    let (code, reason) = await socket.ending
    if let line = format.line(closedWith: code, reason: reason) { Terminal.line(line) }
    let status = try Closure.status(code, reason)
    if isOne { throw Problem.failure("no message came (\(Closure.text(code, reason)))") }
    if Terminal.isInputTerminal { Terminal.note(Terminal.dimNote(Closure.text(code, reason))) }
    return status
  }

  private func send() async {
    do {
      for await line in StandardInput() {
        if let text = String(validating: line, as: UTF8.self) {
          try await socket.send(.text(text))
        } else {
          // A text message must be UTF-8 (RFC 6455 §5.6), so other bytes go as they are.
          try await socket.send(.binary(line))
        }
      }
      try await Task.sleep(for: .seconds(pause))
    } catch {
      // The connection has ended, which the receiving side tells.
      return
    }
    await socket.close()
  }

  /// With `--one` the message must come in time.
  private func watch() async {
    try? await Task.sleep(for: .seconds(timeout))
    if !Task.isCancelled { await socket.close() }
  }
}
