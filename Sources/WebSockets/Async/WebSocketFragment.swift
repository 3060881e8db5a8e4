import WebSocketCore

/// A piece of a message, where ``WebSocketOptions/delivery`` asks for fragments.
public struct WebSocketFragment: Sendable, Hashable {
  /// Text or binary.
  public let kind: MessageKind
  /// The piece; a text's may end inside a character, and the last of a message may be empty.
  public let bytes: [UInt8]
  /// Whether a message begins with it.
  public let isFirst: Bool
  /// Whether the message ends with it.
  public let isFinal: Bool
}

/// The messages of a socket as they arrive, piece by piece: see ``WebSocket/fragments``.
public struct WebSocketFragments: AsyncSequence, Sendable {
  let socket: WebSocket

  /// A piece.
  public typealias Element = WebSocketFragment
  /// Why the iteration ended otherwise than normally.
  public typealias Failure = WebSocketError

  /// Iterates over the pieces.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let socket: WebSocket

    /// The next piece, or nil at the end of a normal closure or when the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(WebSocketError) -> WebSocketFragment? {
      switch try await socket.nextItem() {
      case .fragment(let fragment): fragment
      case .message(let message): WebSocketFragment(message)
      case nil: nil
      }
    }
  }

  /// An iterator; one at a time.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(socket: socket) }
}

extension WebSocketFragment {
  /// A message that came whole.
  init(_ message: WebSocketMessage) {
    switch message {
    case .text(let text): self.init(kind: .text, bytes: Array(text.utf8), isFirst: true, isFinal: true)
    case .binary(let bytes): self.init(kind: .binary, bytes: bytes, isFirst: true, isFinal: true)
    }
  }
}

extension WebSocket {
  /// The messages piece by piece, so that they may be of any size: for sockets whose options say
  /// `delivery = .fragments`.
  ///
  /// ```swift
  /// for try await fragment in socket.fragments {
  ///   try file.write(fragment.bytes)
  ///   if fragment.isFinal { break }
  /// }
  /// ```
  ///
  /// A reader that falls behind holds the peer back; at most the options' message limit waits.
  public var fragments: WebSocketFragments { WebSocketFragments(socket: self) }
}
