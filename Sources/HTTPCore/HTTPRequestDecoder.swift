/// What a ``HTTPRequestDecoder`` found.
public enum HTTPRequestEvent {
  /// A request begins.
  case head(HTTPRequestHead)
  /// A piece of its body, valid until the decoder is called again.
  case body(UnsafeRawBufferPointer)
  /// The request is complete.
  case end(trailers: HTTPFields?)
}

/// Requests of an HTTP/1.1 connection (RFC 9112), strictly: what two readers could understand differently is refused.
public struct HTTPRequestDecoder: ~Copyable {
  private let limits: HTTPLimits
  /// Those of the body under way.
  private var bodyLimits: HTTPLimits
  private var head = HeadCollector()
  private var body: BodyDecoder?

  /// Makes a decoder at the start of a connection.
  ///
  /// - Parameter limits: what a client may send.
  public init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
    bodyLimits = limits
  }

  /// Whether the body of the last request may be of any length.
  public private(set) var isBodyUnbounded = false

  /// Whether it stands between two requests.
  public var isIdle: Bool { body == nil && head.isIdle }

  /// Finds the next event.
  ///
  /// - Parameters:
  ///   - input: bytes that have arrived; moved behind what was taken. What follows a request that is to be upgraded stays.
  ///   - mayBeUnbounded: asked at each head whether the body of the request may be of any length, for whoever reads it
  ///     piece by piece.
  /// - Returns: nil when all of the input was taken and there is no further event in it.
  /// - Throws: why the connection cannot go on, with the status to answer.
  public mutating func next(
    _ input: inout UnsafeRawBufferPointer,
    isBodyUnbounded mayBeUnbounded: (HTTPRequestHead) -> Bool = { _ in false }
  ) throws(HTTPDecodingError) -> HTTPRequestEvent? {
    if body != nil {
      switch try body?.next(&input, bodyLimits) {
      case nil: return nil
      case .bytes(let bytes): return .body(bytes)
      case .end(let trailers):
        body = nil
        return .end(trailers: trailers)
      }
    }
    guard !input.isEmpty, try head.collect(&input, limits) else { return nil }
    let request = try HeadParser.request(head, limits)
    bodyLimits = limits
    isBodyUnbounded = mayBeUnbounded(request)
    if isBodyUnbounded { bodyLimits.maximumBodyBytes = .max }
    body = BodyDecoder(try BodyFraming.of(request, bodyLimits))
    head = HeadCollector()
    return .head(request)
  }
}
