import HTTPCore

/// What a decoder said, with the pieces of a body put together, so that it does not depend on how the input was split.
enum DecodedEvent: Equatable {
  case request(HTTPRequestHead)
  case response(HTTPResponseHead)
  case body([UInt8])
  case end(HTTPFields?)
  case error(Int)
}

extension [DecodedEvent] {
  fileprivate mutating func addBody(_ bytes: [UInt8]) {
    if case .body(let before) = last {
      self[count - 1] = .body(before + bytes)
    } else {
      append(.body(bytes))
    }
  }
}

/// Feeds pieces to a request decoder; stops at an error.
func decodeRequests(_ pieces: [[UInt8]], _ limits: HTTPLimits = HTTPLimits()) -> [DecodedEvent] {
  var decoder = HTTPRequestDecoder(limits: limits)
  var events: [DecodedEvent] = []
  for piece in pieces {
    do {
      try piece.withUnsafeBytes { bytes in
        var input = bytes
        while let event = try decoder.next(&input) {
          switch event {
          case .head(let head): events.append(.request(head))
          case .body(let bytes): events.addBody(Array(bytes))
          case .end(let trailers): events.append(.end(trailers))
          }
        }
      }
    } catch {
      return events + [.error((error as? HTTPDecodingError)?.suggestedStatus.code ?? 0)]
    }
  }
  return events
}

/// Feeds pieces to a response decoder and, if asked, the end of the stream; stops at an error.
func decodeResponses(
  _ pieces: [[UInt8]], to method: HTTPMethod = .get, ends: Bool = false, _ limits: HTTPLimits = HTTPLimits()
) -> [DecodedEvent] {
  var decoder = HTTPResponseDecoder(limits: limits)
  decoder.expect(method)
  var events: [DecodedEvent] = []
  func add(_ event: HTTPResponseEvent) {
    switch event {
    case .head(let head): events.append(.response(head))
    case .body(let bytes): events.addBody(Array(bytes))
    case .end(let trailers): events.append(.end(trailers))
    }
  }
  do {
    for piece in pieces {
      try piece.withUnsafeBytes { bytes in
        var input = bytes
        while let event = try decoder.next(&input) { add(event) }
      }
    }
    if ends, let event = try decoder.endOfInput() { add(event) }
  } catch {
    events.append(.error((error as? HTTPDecodingError)?.suggestedStatus.code ?? 0))
  }
  return events
}

/// Every way to cut a text in two, and the text byte by byte.
func splits(_ text: [UInt8]) -> [[[UInt8]]] {
  (0...text.count).map { [Array(text[..<$0]), Array(text[$0...])] } + [text.map { [$0] }]
}
