import WebSocketCore

/// Sends the pieces of one message: see ``WebSocket/send(_:streaming:)``.
public struct WebSocketWriter: Sendable {
  let socket: WebSocket

  /// Sends a piece as a frame of its own; waits while the peer takes less than is sent.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(WebSocketError) {
    try await socket.sendFragment(bytes, isFinal: false)
  }

  /// Sends a piece of text.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed.
  public nonisolated(nonsending) func write(_ text: String) async throws(WebSocketError) {
    try await write(Array(text.utf8))
  }
}

extension WebSocket {
  /// Sends a message of any size piece by piece, in constant memory.
  ///
  /// ```swift
  /// try await socket.send(.binary) { message in
  ///   while let bytes = try file.read(65_536) { try await message.write(bytes) }
  /// }
  /// ```
  ///
  /// Whole messages that other tasks send meanwhile follow it, another message in pieces waits for its end. If
  /// the body throws or its task is cancelled, the message cannot be completed: the connection is closed with 1011
  /// or 1001, and the error is passed on.
  ///
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed; what the body throws.
  public nonisolated(nonsending) func send(
    _ kind: MessageKind, streaming body: (WebSocketWriter) async throws -> Void
  ) async throws {
    try await beginStream(kind)
    do {
      try Task.checkCancellation()
      try await body(WebSocketWriter(socket: self))
      try Task.checkCancellation()
      try await sendFragment([], isFinal: true)
    } catch {
      let code: CloseCode = error is CancellationError ? .goingAway : .internalError
      await onLoop {
        $0.connection.close(code: code, reason: "The message could not be completed.")
        $0.inbox.endStream()
      }
      throw error
    }
    await onLoop { $0.inbox.endStream() }
  }

  /// Sends the elements of a sequence as one message, a frame each.
  ///
  /// - Throws: as ``send(_:streaming:)``; what the sequence throws.
  public nonisolated(nonsending) func send<Pieces: AsyncSequence>(
    _ kind: MessageKind, contentsOf pieces: Pieces
  ) async throws where Pieces.Element == [UInt8] {
    try await send(kind) { message in
      for try await piece in pieces { try await message.write(piece) }
    }
  }

  /// Waits for its turn among the messages in pieces, and begins one.
  private nonisolated(nonsending) func beginStream(_ kind: MessageKind) async throws(WebSocketError) {
    await withUnsafeContinuation { signal in
      if loop.isCurrent {
        inbox.whenStreamFree(signal)
      } else {
        loop.execute { self.inbox.whenStreamFree(signal) }
      }
    }
    guard await onLoop({ $0.connection.beginMessage(kind) }) else {
      await onLoop { $0.inbox.endStream() }
      throw WebSocketError(.notOpen, "The connection is not open.")
    }
  }

  fileprivate nonisolated(nonsending) func sendFragment(
    _ bytes: [UInt8], isFinal: Bool
  ) async throws(WebSocketError) {
    let isSent =
      loop.isCurrent
      ? bytes.withUnsafeBytes { connection.sendFragment($0, isFinal: isFinal) }
      : await onLoop { socket in
        bytes.withUnsafeBytes { socket.connection.sendFragment($0, isFinal: isFinal) }
      }
    try await finishSending(isSent, isPiece: true)
  }
}
