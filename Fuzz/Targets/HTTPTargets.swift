import Bytes

@testable import HTTPCore

let httpTargets = [
  FuzzTarget("http-request") { try checkRequests(Pieces($0)) },
  FuzzTarget("http-response") { try checkResponses(Pieces($0)) },
  FuzzTarget("http-chunked") { try checkChunked(Pieces($0)) },
]

private let limits = HTTPLimits(
  maximumHeadBytes: 512, maximumStartLineBytes: 128, maximumFieldCount: 8, maximumBodyBytes: 256)

/// What a decoder made of a stream; bodies' pieces are joined.
private struct DecodedHTTP: Equatable {
  enum Event: Equatable {
    case request(HTTPRequestHead)
    case response(HTTPResponseHead)
    case body([UInt8])
    case end(HTTPFields?)
  }

  var events: [Event] = []
  var error: HTTPDecodingError?
  var rest: [UInt8] = []

  /// Of a body that lasts until the end of the stream, and is too large, pieces may have been passed on.
  var withoutCutBody: DecodedHTTP {
    guard error != nil, case .body = events.last else { return self }
    var copy = self
    copy.events.removeLast()
    return copy
  }

  mutating func add(body bytes: UnsafeRawBufferPointer) {
    if case .body(let before) = events.last {
      events[events.count - 1] = .body(before + bytes)
    } else {
      events.append(.body(Array(bytes)))
    }
  }

  /// Feeds pieces to a decoder; bytes that it leaves are kept in `rest`.
  mutating func feed(
    _ pieces: [ArraySlice<UInt8>],
    _ next: (inout UnsafeRawBufferPointer, inout DecodedHTTP) throws -> Bool
  ) throws {
    for piece in pieces where error == nil {
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
      defer { bytes.deallocate() }
      bytes.copyBytes(from: piece)
      var input = UnsafeRawBufferPointer(bytes)
      do {
        while try next(&input, &self) {}
        rest += input
      } catch let error as HTTPDecodingError { self.error = error }
    }
  }
}

private func decodeRequests(
  _ pieces: [ArraySlice<UInt8>], _ limits: HTTPLimits = limits
) throws -> DecodedHTTP {
  var decoder = HTTPRequestDecoder(limits: limits)
  var decoded = DecodedHTTP()
  try decoded.feed(pieces) { input, decoded in
    switch try decoder.next(&input) {
    case nil: return false
    case .head(let head): decoded.events.append(.request(head))
    case .body(let bytes): decoded.add(body: bytes)
    case .end(let trailers): decoded.events.append(.end(trailers))
    }
    return true
  }
  return decoded
}

private func checkRequests(_ input: Pieces) throws {
  let whole = try decodeRequests([input.stream[...]])
  try equal(try decodeRequests(input.cut), whole, "in pieces and whole")
  try hold(whole.error != nil || whole.rest.isEmpty, "all of the input is taken")
  for event in whole.events {
    try checkSize(event)
    guard case .request(let head) = event else { continue }
    _ = (head.isKeepAlive, ContentNegotiation.acceptsGzip(head.fields), head.query)
    _ = ContentNegotiation.matches(etag: "\"a\"", ifNoneMatch: head.fields)
    try hold(head.path.hasPrefix("/") || head.method == .connect || head.path == "*", "a path begins with /")
    var writer = ByteWriter()
    try HTTPEncoder.encode(head, into: &writer)
    let again = try decodeRequests([writer.bytes[...]], HTTPLimits())
    try equal(again.events.first, .request(head), "reading a head that was written")
  }
}

private func checkSize(_ event: DecodedHTTP.Event) throws {
  switch event {
  case .request(let head):
    try hold(head.fields.count <= limits.maximumFieldCount, "the fields are within the limit")
    try hold(head.target.utf8.count <= limits.maximumStartLineBytes, "the target is within the limit")
  case .response(let head):
    try hold(head.fields.count <= limits.maximumFieldCount, "the fields are within the limit")
  case .body(let bytes): try hold(bytes.count <= limits.maximumBodyBytes, "the body is within the limit")
  case .end: break
  }
}

private func decodeResponses(
  _ pieces: [ArraySlice<UInt8>], _ method: HTTPMethod, _ limits: HTTPLimits = limits
) throws -> DecodedHTTP {
  var decoder = HTTPResponseDecoder(limits: limits)
  decoder.expect(method)
  var decoded = DecodedHTTP()
  func take(_ event: HTTPResponseEvent?, _ decoded: inout DecodedHTTP) -> Bool {
    switch event {
    case nil: return false
    case .head(let head): decoded.events.append(.response(head))
    case .body(let bytes): decoded.add(body: bytes)
    case .end(let trailers): decoded.events.append(.end(trailers))
    }
    return true
  }
  try decoded.feed(pieces) { input, decoded in take(try decoder.next(&input), &decoded) }
  guard decoded.error == nil else { return decoded }
  do {
    _ = take(try decoder.endOfInput(), &decoded)
  } catch { decoded.error = error }
  return decoded
}

private func checkResponses(_ input: Pieces) throws {
  let methods = [HTTPMethod.get, .head, .connect, .post]
  let method = methods[input.stream.count % 4]
  let whole = try decodeResponses([input.stream[...]], method)
  let cut = try decodeResponses(input.cut, method)
  try equal(cut.withoutCutBody, whole.withoutCutBody, "in pieces and whole")
  for event in whole.events {
    try checkSize(event)
    guard case .response(let head) = event else { continue }
    try hold((100...999).contains(head.status.code), "a status has three digits")
    _ = head.isKeepAlive
    var writer = ByteWriter()
    try HTTPEncoder.encode(head, into: &writer)
    // What is not UTF-8 in a reason is longer when it is written again.
    let again = try decodeResponses([writer.bytes[...]], .head, HTTPLimits())
    try equal(again.events.first, .response(head), "reading a head that was written")
  }
}

private func decodeBody(_ pieces: [ArraySlice<UInt8>]) throws -> DecodedHTTP {
  var decoder = BodyDecoder(.chunked)
  var decoded = DecodedHTTP()
  var isAtEnd = false
  try decoded.feed(pieces) { input, decoded in
    guard !isAtEnd else { return false }
    switch try decoder.next(&input, limits) {
    case nil: return false
    case .bytes(let bytes): decoded.add(body: bytes)
    case .end(let trailers):
      decoded.events.append(.end(trailers))
      isAtEnd = true
    }
    return true
  }
  return decoded
}

/// Chunks are the same in pieces and whole, and what was written in chunks is read.
private func checkChunked(_ input: Pieces) throws {
  let whole = try decodeBody([input.stream[...]])
  try equal(try decodeBody(input.cut), whole, "in pieces and whole")
  for event in whole.events { try checkSize(event) }
  let body = Array(input.stream.prefix(Int(limits.maximumBodyBytes)))
  var writer = ByteWriter()
  for piece in input.cutting(body) { piece.withUnsafeBytes { HTTPEncoder.encodeChunk($0, into: &writer) } }
  HTTPEncoder.encodeLastChunk(into: &writer)
  let again = try decodeBody(input.cutting(writer.bytes))
  let expected: [DecodedHTTP.Event] = body.isEmpty ? [] : [.body(body)]
  try equal(again.events, expected + [.end(HTTPFields())], "reading chunks that were written")
}
