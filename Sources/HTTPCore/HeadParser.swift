/// Parses the lines of heads.
enum HeadParser {
  /// RFC 9112 §3: `method SP request-target SP HTTP-version`.
  static func request(
    _ lines: [ArraySlice<UInt8>], _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> HTTPRequestHead {
    let parts = (lines.first ?? []).split(separator: ASCII.space, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .bad("The request line is not “method target version”.") }
    let (method, target) = (parts[0], parts[1])
    guard !method.isEmpty, method.allSatisfy(ASCII.isToken) else { throw .bad("The method is not a token.") }
    let version = try version(parts[2])
    guard isTarget(target, method) else { throw .bad("The request target is not valid.") }
    let head = HTTPRequestHead(
      method: HTTPMethod(rawValue: String(decoding: method, as: UTF8.self)),
      target: String(decoding: target, as: UTF8.self), version: version,
      fields: try fields(lines.dropFirst(), limits))
    try checkHost(head)
    return head
  }

  /// RFC 9112 §4: `HTTP-version SP status-code SP [ reason-phrase ]`.
  static func response(
    _ lines: [ArraySlice<UInt8>], _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> HTTPResponseHead {
    let parts = (lines.first ?? []).split(
      separator: ASCII.space, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2 else { throw .bad("The status line is not “version status reason”.") }
    let version = try version(parts[0])
    guard parts[1].count == 3, let code = ASCII.decimal(parts[1]), code >= 100 else {
      throw .bad("The status is not a number of three digits.")
    }
    let reason = parts.count > 2 ? parts[2] : []
    guard reason.allSatisfy(ASCII.isFieldValue) else {
      throw .bad("The reason phrase has a control character.")
    }
    return HTTPResponseHead(
      status: HTTPStatus(code: Int(code), reason: String(decoding: reason, as: UTF8.self)), version: version,
      fields: try fields(lines.dropFirst(), limits))
  }

  /// RFC 9112 §5: `field-name ":" OWS field-value OWS`.
  static func fields(
    _ lines: ArraySlice<ArraySlice<UInt8>>, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> HTTPFields {
    guard lines.count <= limits.maximumFieldCount else {
      throw HTTPDecodingError(.headerFieldsTooLarge, "There are too many fields.")
    }
    var fields = HTTPFields()
    if let first = lines.first, let last = lines.last {
      fields.reserve(lines.count, byteCount: last.endIndex - first.startIndex)
    }
    for line in lines {
      // §5.2: "A server that receives an obs-fold in a request message … MUST either reject the message … or replace".
      guard line.first != ASCII.space, line.first != ASCII.tab else {
        throw .bad("A field is folded over lines.")
      }
      guard let colon = line.firstIndex(of: ASCII.colon) else { throw .bad("A field has no colon.") }
      let name = line[..<colon]
      // §5.1: "No whitespace is allowed between the field name and colon."
      guard !name.isEmpty, name.allSatisfy(ASCII.isToken) else { throw .bad("A field name is not a token.") }
      let value = ASCII.trimmed(line[(colon + 1)...])
      guard value.allSatisfy(ASCII.isFieldValue) else { throw .bad("A field value has a control character.") }
      fields.append(name, value)
    }
    return fields
  }

  private static func version(_ bytes: ArraySlice<UInt8>) throws(HTTPDecodingError) -> HTTPVersion {
    let text = Array(bytes)
    guard text.count == 8, text.starts(with: "HTTP/".utf8), ASCII.isDigit(text[5]),
      text[6] == UInt8(ascii: "."),
      ASCII.isDigit(text[7])
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
    if method.elementsEqual("CONNECT".utf8) {
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
  private static func checkHost(_ head: HTTPRequestHead) throws(HTTPDecodingError) {
    let hosts = head.fields.values(of: "Host")
    guard hosts.count <= 1 else { throw .bad("There is more than one Host field.") }
    guard let host = hosts.first else {
      guard head.version == .http10 else { throw .bad("The Host field is missing.") }
      return
    }
    guard host.utf8.allSatisfy({ isHost($0) }) else { throw .bad("The Host field is not valid.") }
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
