/// What a peer may send.
public struct WebSocketLimits: Sendable, Hashable {
  /// The largest message in bytes; a larger one ends the connection with 1009. Default 1 MiB.
  public var maximumMessageBytes: Int
  /// The most fragments a message may come in; more end the connection with 1008. Default 1,024.
  public var maximumFragmentCount: Int

  /// Makes limits with the library's defaults.
  public init(maximumMessageBytes: Int = 1 << 20, maximumFragmentCount: Int = 1_024) {
    self.maximumMessageBytes = max(0, maximumMessageBytes)
    self.maximumFragmentCount = max(1, maximumFragmentCount)
  }
}

/// How messages are handed on.
public enum MessageDelivery: Sendable, Hashable {
  /// Whole, reassembled.
  case whole
  /// Piece by piece as bytes arrive, for messages of any size; the limit on message size does not apply.
  case fragments
}
