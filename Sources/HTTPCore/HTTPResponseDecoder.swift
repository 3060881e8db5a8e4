/// What a ``HTTPResponseDecoder`` found.
public enum HTTPResponseEvent {
  /// A response begins; after an interim one (1xx other than 101) another head follows.
  case head(HTTPResponseHead)
  /// A piece of its body, valid until the decoder is called again.
  case body(UnsafeRawBufferPointer)
  /// The response is complete.
  case end(trailers: HTTPFields?)
}

/// Responses of an HTTP/1.1 connection (RFC 9112).
public struct HTTPResponseDecoder: ~Copyable {
  private let limits: HTTPLimits
  private var head = HeadCollector()
  private var body: BodyDecoder?
  private var method = HTTPMethod.get
  /// Behind a 101 the bytes are not HTTP any more.
  private var isUpgraded = false

  /// Makes a decoder at the start of a connection.
  public init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
  }

  /// Says which method the next response answers; GET if this is not called.
  public mutating func expect(_ method: HTTPMethod) {
    self.method = method
  }

  /// Finds the next event.
  ///
  /// - Parameter input: bytes that have arrived; moved behind what was taken. What follows a 101 stays.
  /// - Returns: nil when all of the input was taken and there is no further event in it.
  /// - Throws: why the connection cannot go on.
  public mutating func next(
    _ input: inout UnsafeRawBufferPointer
  ) throws(HTTPDecodingError) -> HTTPResponseEvent? {
    if body != nil {
      switch try body?.next(&input, limits) {
      case nil: return nil
      case .bytes(let bytes): return .body(bytes)
      case .end(let trailers):
        body = nil
        return .end(trailers: trailers)
      }
    }
    guard !isUpgraded, !input.isEmpty, try head.collect(&input, limits) else { return nil }
    let response = try HeadParser.response(head, limits)
    head = HeadCollector()
    if response.status.code == 101 {
      isUpgraded = true
    } else if response.status.code >= 200 {
      body = BodyDecoder(try BodyFraming.of(response, answering: method, limits))
      method = .get
    }
    return .head(response)
  }

  /// The stream has ended: the end of a body that lasts until then, or nil between responses.
  ///
  /// - Throws: if the end comes in the middle of a response.
  public mutating func endOfInput() throws(HTTPDecodingError) -> HTTPResponseEvent? {
    if let body {
      guard body.endsWithStream else { throw .bad("The response was cut short.") }
      self.body = nil
      return .end(trailers: nil)
    }
    guard head.isIdle else { throw .bad("The response was cut short.") }
    return nil
  }
}
