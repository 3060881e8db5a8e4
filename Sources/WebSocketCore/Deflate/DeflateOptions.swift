/// How permessage-deflate is offered, accepted and used (RFC 7692). Nil options mean: not at all.
public struct DeflateOptions: Sendable, Hashable {
  /// The effort, 1 (fast) to 9 (small), as zlib counts it. Default 3.
  public var level: Int
  /// Messages with fewer bytes than this leave uncompressed: deflate would make most of them larger. Default 128.
  public var minimumBytes: Int
  /// Whether what we send may refer back to earlier messages: smaller, for a compressor of its own a connection
  /// (about 256 KiB at 15 window bits). Default false: one compressor a loop serves all connections.
  public var sendsWithContext: Bool
  /// Whether what the peer sends may refer back to earlier messages, for a decompressor of its own a connection (up to
  /// 44 KiB at 15 window bits). Default false.
  public var receivesWithContext: Bool
  /// The base-2 logarithm of the window of what we send, 8...15. Default 15.
  public var sendWindowBits: Int
  /// The base-2 logarithm of the window of what the peer sends, 8...15, as far as it lets us choose. Default 15.
  public var receiveWindowBits: Int

  /// Compression that costs an idle connection nothing: no context either way.
  public static let standard = DeflateOptions()

  /// Makes options; values out of range are moved to the nearest in it.
  public init(
    level: Int = 3, minimumBytes: Int = 128, sendsWithContext: Bool = false,
    receivesWithContext: Bool = false,
    sendWindowBits: Int = 15, receiveWindowBits: Int = 15
  ) {
    self.level = min(max(level, 1), 9)
    self.minimumBytes = max(minimumBytes, 0)
    self.sendsWithContext = sendsWithContext
    self.receivesWithContext = receivesWithContext
    self.sendWindowBits = min(max(sendWindowBits, 8), 15)
    self.receiveWindowBits = min(max(receiveWindowBits, 8), 15)
  }
}

/// What both ends agreed on, seen from ours.
public struct DeflateAgreement: Sendable, Hashable {
  /// Whether our messages may refer back to earlier ones.
  public var sendsWithContext: Bool
  /// Whether the peer's messages may refer back to earlier ones.
  public var receivesWithContext: Bool
  /// The base-2 logarithm of our window, 8...15.
  public var sendWindowBits: Int
  /// The base-2 logarithm of the peer's window, 8...15.
  public var receiveWindowBits: Int

  /// Makes an agreement; the defaults are what RFC 7692 means where a parameter is absent.
  public init(
    sendsWithContext: Bool = true, receivesWithContext: Bool = true, sendWindowBits: Int = 15,
    receiveWindowBits: Int = 15
  ) {
    self.sendsWithContext = sendsWithContext
    self.receivesWithContext = receivesWithContext
    self.sendWindowBits = sendWindowBits
    self.receiveWindowBits = receiveWindowBits
  }
}
