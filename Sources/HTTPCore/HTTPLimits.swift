/// What a peer may send; everything beyond is refused before it is stored.
public struct HTTPLimits: Sendable, Hashable {
  /// Start line and fields together, in bytes: 431. Default 16 KiB.
  public var maximumHeadBytes: Int
  /// The start line, in bytes: 414 for a request. Default 8 KiB.
  public var maximumStartLineBytes: Int
  /// Fields of a head: 431. Default 100.
  public var maximumFieldCount: Int
  /// A body, in bytes: 413. Default 1 MiB.
  public var maximumBodyBytes: UInt64

  /// Makes limits with the defaults.
  public init(
    maximumHeadBytes: Int = 16_384, maximumStartLineBytes: Int = 8_192, maximumFieldCount: Int = 100,
    maximumBodyBytes: UInt64 = 1 << 20
  ) {
    self.maximumHeadBytes = maximumHeadBytes
    self.maximumStartLineBytes = maximumStartLineBytes
    self.maximumFieldCount = maximumFieldCount
    self.maximumBodyBytes = maximumBodyBytes
  }
}

/// Why bytes are not a message that we take; the connection cannot be used further.
public struct HTTPDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The status to answer a request with.
  public let suggestedStatus: HTTPStatus
  /// One sentence for the client.
  public let description: String

  init(_ status: HTTPStatus, _ description: String) {
    suggestedStatus = status
    self.description = description
  }

  static func bad(_ description: String) -> Self { Self(.badRequest, description) }
}
