/// How the end of a body is known (RFC 9112 §6.3).
enum BodyFraming: Equatable {
  case none
  case length(UInt64)
  case chunked
  case untilClose

  /// A request's body.
  static func of(_ head: HTTPRequestHead, _ limits: HTTPLimits) throws(HTTPDecodingError) -> BodyFraming {
    // As most.
    if !head.fields.contains("Transfer-Encoding"), !head.fields.contains("Content-Length") { return .none }
    let codings = head.fields.values(of: "Transfer-Encoding")
    let length = try contentLength(head.fields)
    guard codings.isEmpty else {
      // §6.1: "A server MAY reject a request that contains both Content-Length and Transfer-Encoding": smuggling.
      guard length == nil else { throw .bad("Content-Length and Transfer-Encoding exclude each other.") }
      guard head.version != .http10 else { throw .bad("HTTP/1.0 has no Transfer-Encoding.") }
      try checkChunked(codings)
      return .chunked
    }
    guard let length, length > 0 else { return .none }
    guard length <= limits.maximumBodyBytes else {
      throw HTTPDecodingError(.contentTooLarge, "The body is too large.")
    }
    return .length(length)
  }

  /// A response's body, by the request that it answers.
  static func of(
    _ head: HTTPResponseHead, answering method: HTTPMethod, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> BodyFraming {
    let code = head.status.code
    if method == .head || code < 200 || code == 204 || code == 304 { return .none }
    if method == .connect, code < 300 { return .none }
    let codings = head.fields.values(of: "Transfer-Encoding")
    let length = try contentLength(head.fields)
    guard codings.isEmpty else {
      guard length == nil else { throw .bad("Content-Length and Transfer-Encoding exclude each other.") }
      // RFC 9112 §6.1: Transfer-Encoding in a message of HTTP/1.0 means that its framing is faulty.
      guard head.version != .http10 else { throw .bad("HTTP/1.0 has no Transfer-Encoding.") }
      try checkChunked(codings)
      return .chunked
    }
    guard let length else { return .untilClose }
    guard length <= limits.maximumBodyBytes else { throw .bad("The body is too large.") }
    return length == 0 ? .none : .length(length)
  }

  private static func checkChunked(_ codings: [String]) throws(HTTPDecodingError) {
    guard codings.count == 1, ASCII.equalIgnoringCase(codings[0].utf8Span.span, "chunked".utf8Span.span)
    else {
      throw HTTPDecodingError(.notImplemented, "The only Transfer-Encoding is chunked.")
    }
  }

  /// One number, once or repeated in several fields; lists are refused.
  private static func contentLength(_ fields: HTTPFields) throws(HTTPDecodingError) -> UInt64? {
    var length: UInt64?
    for value in fields.values(of: "Content-Length") {
      guard let number = ASCII.decimal(value.utf8) else { throw .bad("The Content-Length is not a number.") }
      guard length == nil || length == number else { throw .bad("There are different Content-Lengths.") }
      length = number
    }
    return length
  }
}
