import Bytes
import HTTPCore

/// The opening handshake (RFC 6455 §4), as functions of heads.
public enum OpeningHandshake {
  /// What a server finds in a request.
  public enum ServerCheck: Sendable {
    /// A valid handshake with this `Sec-WebSocket-Key`.
    case upgrade(key: String)
    /// An ordinary request that asks for no WebSocket.
    case notAnUpgrade
    /// A handshake that must be refused.
    case reject(HTTPStatus, fields: HTTPFields, reason: String)
  }

  /// `Sec-WebSocket-Accept` for a key (§4.2.2, item 5.4): the Base64 of the SHA-1 of the key and a fixed GUID.
  public static func accept(key: String) -> String {
    withDigest(of: key) { Base64.encode($0) }
  }

  private static func withDigest<R>(of key: String, _ body: (UnsafeMutableBufferPointer<UInt8>) -> R) -> R {
    let guid: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    let key = key.utf8Span.span
    let digestCount = SHA1.digestByteCount
    let count = key.count + guid.utf8CodeUnitCount
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digestCount + count) { memory in
      let answered = UnsafeMutableRawBufferPointer(
        UnsafeMutableBufferPointer(rebasing: memory[digestCount...]))
      key.withUnsafeBytes { answered.copyMemory(from: $0) }
      guid.withUTF8Buffer { answered[key.count...].copyBytes(from: $0) }
      let digest = UnsafeMutableBufferPointer(rebasing: memory[..<digestCount])
      SHA1.hash(UnsafeRawBufferPointer(answered), into: UnsafeMutableRawBufferPointer(digest))
      return body(digest)
    }
  }

  // MARK: Server

  /// Checks a client's request by the list of §4.2.1.
  public static func serverCheck(_ head: HTTPRequestHead) -> ServerCheck {
    // Items 3 and 4: "An |Upgrade| header field containing the value "websocket"", "A |Connection| header field that
    // includes the token "Upgrade"".
    guard head.fields.has("Upgrade", token: "websocket") else { return .notAnUpgrade }
    guard head.method == .get else {
      return .reject(.methodNotAllowed, fields: ["Allow": "GET"], reason: "A WebSocket is opened by GET.")
    }
    guard head.version.minor >= 1 else {
      return .reject(.badRequest, fields: [:], reason: "A WebSocket needs HTTP/1.1.")
    }
    guard head.fields.has("Connection", token: "upgrade") else {
      return .reject(.badRequest, fields: [:], reason: "The Connection field does not say Upgrade.")
    }
    // Item 6, and §4.4: "the server MUST … return … a |Sec-WebSocket-Version| header field indicating the version(s)".
    guard head.fields.has("Sec-WebSocket-Version", only: "13") else {
      return .reject(
        .upgradeRequired, fields: ["Sec-WebSocket-Version": "13"], reason: "The WebSocket version must be 13."
      )
    }
    // Item 5: "a base64-encoded … value that, when decoded, is 16 bytes in length".
    guard let key = head.fields.only("Sec-WebSocket-Key"), Base64.decodedCount(key) == 16 else {
      return .reject(.badRequest, fields: [:], reason: "The Sec-WebSocket-Key is not 16 bytes in Base64.")
    }
    return .upgrade(key: key)
  }

  /// The subprotocols that a client offers, in its order of preference.
  public static func subprotocols(offered head: HTTPRequestHead) -> [String] {
    head.fields.list("Sec-WebSocket-Protocol")
  }

  /// Writes the response that completes the handshake (§4.2.2).
  ///
  /// - Parameters:
  ///   - key: the request's key.
  ///   - subprotocol: one of those offered.
  ///   - extensions: the value of `Sec-WebSocket-Extensions`, where an offer was accepted.
  ///   - fields: the application's own fields; reserved ones are left out, see ``reservedField(in:)``.
  ///   - writer: where to.
  /// - Throws: if the subprotocol or a field has characters that it must not have; nothing is written then.
  public static func encodeResponse(
    key: String, subprotocol: String? = nil, extensions: String? = nil, fields: HTTPFields = HTTPFields(),
    into writer: inout ByteWriter
  ) throws(HTTPEncodingError) {
    var others = HTTPFields()
    if let subprotocol { others.append("Sec-WebSocket-Protocol", subprotocol) }
    if let extensions { others.append("Sec-WebSocket-Extensions", extensions) }
    if !fields.isEmpty {
      for (name, value) in fields where !isReserved(name) { others.append(name, value) }
    }
    try HTTPEncoder.check(others)
    writer.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.append("Sec-WebSocket-Accept: ")
    withDigest(of: key) { Base64.encode($0, into: &writer) }
    writer.append("\r\n")
    HTTPEncoder.encode(others, into: &writer)
  }

  /// The first field that only the handshake itself may set, or that would announce a body behind a 101; nil if there is
  /// none. Names compare without regard to case.
  public static func reservedField(in fields: HTTPFields) -> String? {
    fields.isEmpty ? nil : fields.first { name, _ in isReserved(name) }?.name
  }

  private static func isReserved(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.hasPrefix("sec-websocket-")
      || ["upgrade", "connection", "content-length", "transfer-encoding"].contains(name)
  }

  // MARK: Client

  /// A client's request (§4.1).
  ///
  /// - Parameters:
  ///   - url: where to.
  ///   - key: 16 fresh random bytes in Base64.
  ///   - subprotocols: what is offered, the preferred one first.
  ///   - compression: offers permessage-deflate; nil does not.
  ///   - origin: the `Origin` field, for clients that speak for a web page.
  ///   - fields: the application's own fields; `Host` and `Authorization` among them take the place of the URL's.
  public static func request(
    url: WebURL, key: String, subprotocols: [String] = [], compression: DeflateOptions? = nil,
    origin: String? = nil, fields: HTTPFields = HTTPFields()
  ) -> HTTPRequestHead {
    var all = HTTPFields()
    all.append("Host", fields["Host"] ?? url.authority)
    all.append("Upgrade", "websocket")
    all.append("Connection", "Upgrade")
    all.append("Sec-WebSocket-Key", key)
    all.append("Sec-WebSocket-Version", "13")
    if !subprotocols.isEmpty { all.append("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")) }
    if let compression { all.append("Sec-WebSocket-Extensions", DeflateNegotiation.offer(compression)) }
    if let origin { all.append("Origin", origin) }
    if fields["Authorization"] == nil,
      let credentials = url.userInfo.flatMap(BasicCredentials.init(userInfo:))
    {
      all.append("Authorization", credentials.fieldValue)
    }
    for (name, value) in fields where name.lowercased() != "host" { all.append(name, value) }
    return HTTPRequestHead(method: .get, target: url.target, fields: all)
  }

  /// Checks a server's 101 response by the list of §4.1.
  ///
  /// - Parameters:
  ///   - head: the response.
  ///   - key: the request's key.
  ///   - subprotocols: those that the request offered.
  ///   - compression: what the request offered of permessage-deflate.
  /// - Returns: what the server has chosen of the offers.
  /// - Throws: ``HandshakeError`` if the client must fail the connection.
  public static func clientCheck(
    _ head: HTTPResponseHead, key: String, offered subprotocols: [String] = [],
    compression: DeflateOptions? = nil
  ) throws(HandshakeError) -> HandshakeAgreement {
    guard head.status.code == 101 else { throw HandshakeError("The status is \(head.status), not 101.") }
    guard head.fields.containsToken("Upgrade", "websocket") else {
      throw HandshakeError("The Upgrade field does not say websocket.")
    }
    guard head.fields.containsToken("Connection", "upgrade") else {
      throw HandshakeError("The Connection field does not say Upgrade.")
    }
    guard head.fields.values(of: "Sec-WebSocket-Accept") == [accept(key: key)] else {
      throw HandshakeError("The Sec-WebSocket-Accept field does not fit the key.")
    }
    let agreement = try DeflateNegotiation.check(head.fields, offered: compression)
    // Item 6, likewise for subprotocols.
    let chosen = head.fields.values(of: "Sec-WebSocket-Protocol")
    guard chosen.count <= 1, chosen.allSatisfy(subprotocols.contains) else {
      throw HandshakeError("The server uses a subprotocol that was not offered.")
    }
    return HandshakeAgreement(subprotocol: chosen.first, compression: agreement)
  }
}

/// What a server has chosen of a client's offers.
public struct HandshakeAgreement: Hashable, Sendable {
  /// The subprotocol.
  public let subprotocol: String?
  /// permessage-deflate and its parameters.
  public let compression: DeflateAgreement?
}

/// Why a client must fail the connection in the opening handshake.
public struct HandshakeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}
