/// Parses heads, whose lines a ``HeadCollector`` has found.
enum HeadParser {
  /// RFC 9112 §3: `method SP request-target SP HTTP-version`.
  static func request(_ head: HeadCollector, _ limits: HTTPLimits) throws(HTTPDecodingError)
    -> HTTPRequestHead
  {
    let bytes = head.bytes
    let end = lineEnd(bytes.span, 0)
    let first = space(bytes.span, 0, end)
    let second = space(bytes.span, first + 1, end)
    guard second < end, space(bytes.span, second + 1, end) == end else {
      throw .bad("The request line is not “method target version”.")
    }
    let (method, target) = (bytes[..<first], bytes[(first + 1)..<second])
    guard !method.isEmpty, method.allSatisfy(ASCII.isToken) else { throw .bad("The method is not a token.") }
    let version = try version(bytes.span.extracting((second + 1)..<end))
    guard isTarget(target, method) else { throw .bad("The request target is not valid.") }
    let fields = try fields(bytes, from: end + 2, head.lineCount - 1, limits)
    try checkHost(fields, version)
    return HTTPRequestHead(
      method: HTTPMethod(rawValue: String(decoding: method, as: UTF8.self)),
      target: String(decoding: target, as: UTF8.self), version: version, fields: fields)
  }

  /// RFC 9112 §4: `HTTP-version SP status-code SP [ reason-phrase ]`.
  static func response(_ head: HeadCollector, _ limits: HTTPLimits) throws(HTTPDecodingError)
    -> HTTPResponseHead
  {
    let bytes = head.bytes
    let end = lineEnd(bytes.span, 0)
    let parts = bytes[..<end].split(separator: ASCII.space, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2 else { throw .bad("The status line is not “version status reason”.") }
    let version = try version(bytes.span.extracting(parts[0].indices))
    guard parts[1].count == 3, let code = ASCII.decimal(parts[1]), code >= 100 else {
      throw .bad("The status is not a number of three digits.")
    }
    let reason = parts.count > 2 ? parts[2] : []
    guard reason.allSatisfy(ASCII.isFieldValue) else {
      throw .bad("The reason phrase has a control character.")
    }
    return HTTPResponseHead(
      status: HTTPStatus(code: Int(code), reason: String(decoding: reason, as: UTF8.self)), version: version,
      fields: try fields(bytes, from: end + 2, head.lineCount - 1, limits))
  }

  /// The fields behind a body, which has no line before them.
  static func trailers(_ head: HeadCollector, _ limits: HTTPLimits) throws(HTTPDecodingError) -> HTTPFields {
    try fields(head.bytes, from: 0, head.lineCount, limits)
  }

  /// RFC 9112 §5: `field-name ":" OWS field-value OWS`. The fields keep the bytes in which they came.
  private static func fields(
    _ bytes: [UInt8], from start: Int, _ count: Int, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> HTTPFields {
    guard count <= limits.maximumFieldCount else {
      throw HTTPDecodingError(.headerFieldsTooLarge, "There are too many fields.")
    }
    var fields = HTTPFields(in: bytes, fieldCount: count)
    let span = bytes.span
    var start = start
    while start < span.count { start = try field(span, start, &fields) + 2 }
    return fields
  }

  /// Takes the field in the line that begins at `start`; returns where that ends. A CR always stands behind it, which is
  /// neither of a name nor of a value.
  private static func field(
    _ bytes: Span<UInt8>, _ start: Int, _ fields: inout HTTPFields
  ) throws(HTTPDecodingError) -> Int {
    let colon = endOfRun(bytes, start, ASCII.othersInName, ASCII.isToken)
    guard colon > start, bytes[colon] == ASCII.colon else {
      throw nameProblem(bytes, start..<lineEnd(bytes, start))
    }
    var first = colon + 1
    while ASCII.isBlank(bytes[first]) { first += 1 }
    let end = endOfRun(bytes, first, ASCII.othersInValue, ASCII.isFieldValue)
    guard bytes[end] == ASCII.cr else { throw .bad("A field value has a control character.") }
    var last = end
    while last > first, ASCII.isBlank(bytes[last - 1]) { last -= 1 }
    fields.append(name: start..<colon, value: first..<last)
    return end
  }

  /// Where the run of such bytes ends that begins at `start`.
  ///
  /// - Parameter others: tells of eight bytes which may be none of them, by the highest bit of each.
  @inline(__always)
  private static func endOfRun(
    _ bytes: Span<UInt8>, _ start: Int, _ others: (UInt64) -> UInt64, _ isOne: (UInt8) -> Bool
  ) -> Int {
    var index = start
    while true {
      if index + 8 <= bytes.count {
        let found = others(ASCII.word(of: bytes, index))
        if found == 0 {
          index += 8
          continue
        }
        index += found.trailingZeroBitCount / 8
      }
      guard isOne(bytes[index]) else { return index }
      index += 1
    }
  }

  /// What is wrong with a line that does not begin with a name and a colon.
  private static func nameProblem(_ bytes: Span<UInt8>, _ line: Range<Int>) -> HTTPDecodingError {
    // §5.2: "A server that receives an obs-fold in a request message … MUST either reject the message … or replace".
    if ASCII.isBlank(bytes[line.lowerBound]) { return .bad("A field is folded over lines.") }
    // §5.1: "No whitespace is allowed between the field name and colon."
    return line.contains { bytes[$0] == ASCII.colon }
      ? .bad("A field name is not a token.") : .bad("A field has no colon.")
  }

  /// Where the line ends that begins at `start`. Every CR is followed by LF here.
  private static func lineEnd(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var index = start
    while index < bytes.count, bytes[index] != ASCII.cr { index += 1 }
    return index
  }

  /// Where the first space from `start` on stands; `end` if there is none before it.
  private static func space(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end, bytes[index] != ASCII.space { index += 1 }
    return min(index, end)
  }

  private static func version(_ text: Span<UInt8>) throws(HTTPDecodingError) -> HTTPVersion {
    guard text.count == 8, text[0] == UInt8(ascii: "H"), text[1] == UInt8(ascii: "T"),
      text[2] == UInt8(ascii: "T"),
      text[3] == UInt8(ascii: "P"), text[4] == UInt8(ascii: "/"), ASCII.isDigit(text[5]),
      text[6] == UInt8(ascii: "."), ASCII.isDigit(text[7])
    else { throw .bad("The version is not HTTP/1.1.") }
    guard text[5] == UInt8(ascii: "1") else {
      throw HTTPDecodingError(.versionNotSupported, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    }
    return text[7] == UInt8(ascii: "0") ? .http10 : .http11
  }

  /// RFC 9112 §3.2: origin-form, absolute-form, authority-form for CONNECT only, asterisk-form for OPTIONS only.
  private static func isTarget(_ target: ArraySlice<UInt8>, _ method: ArraySlice<UInt8>) -> Bool {
    guard let first = target.first,
      target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
    else { return false }
    if method.count == 7, method.elementsEqual("CONNECT".utf8) {
      return first != UInt8(ascii: "/") && target.contains(ASCII.colon)
    }
    if first == UInt8(ascii: "/") { return true }
    if target.elementsEqual("*".utf8) { return method.elementsEqual("OPTIONS".utf8) }
    let lower = target.prefix(8).map(ASCII.lowercased)
    return lower.starts(with: "http://".utf8) && target.count > 7
      || lower.starts(with: "https://".utf8) && target.count > 8
  }

  /// RFC 9112 §3.2: "A server MUST respond with a 400 … to any HTTP/1.1 request message that lacks a Host header field
  /// and to any request message that contains more than one Host header field line or … an invalid field value."
  private static func checkHost(_ fields: HTTPFields, _ version: HTTPVersion) throws(HTTPDecodingError) {
    guard let (host, isRepeated) = fields.first("Host") else {
      guard version == .http10 else { throw .bad("The Host field is missing.") }
      return
    }
    guard !isRepeated else { throw .bad("There is more than one Host field.") }
    guard host.allSatisfy(isHost) else { throw .bad("The Host field is not valid.") }
  }

  private static func isHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "@"), UInt8(ascii: "?"), UInt8(ascii: "#"),
      UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"):
      false
    default: byte > 0x20 && byte < 0x7F
    }
  }
}
