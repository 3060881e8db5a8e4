import Bytes
import HTTPCore
import Testing

@testable import WebSocketCore

@Suite struct OpeningHandshakeTests {
  /// RFC 6455 §1.3.
  @Test func acceptOfTheRFC() {
    #expect(OpeningHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  // MARK: Server

  /// The request of RFC 6455 §1.2, changed by a test.
  private static func request(_ change: (inout HTTPRequestHead) -> Void = { _ in }) -> HTTPRequestHead {
    var head = HTTPRequestHead(
      method: .get, target: "/chat",
      fields: [
        "Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://example.com",
        "Sec-WebSocket-Protocol": "chat, superchat", "Sec-WebSocket-Version": "13",
      ])
    change(&head)
    return head
  }

  @Test func takesTheRequestOfTheRFC() {
    guard case .upgrade(let key) = OpeningHandshake.serverCheck(Self.request()) else {
      Issue.record("refused")
      return
    }
    #expect(key == "dGhlIHNhbXBsZSBub25jZQ==")
    #expect(OpeningHandshake.subprotocols(offered: Self.request()) == ["chat", "superchat"])
  }

  struct Variant: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let change: @Sendable (inout HTTPRequestHead) -> Void
    /// nil: not an upgrade; 101: taken.
    let status: Int?
    var fields: HTTPFields = [:]

    init(
      _ description: String, _ status: Int?, _ fields: HTTPFields = [:],
      _ change: @escaping @Sendable (inout HTTPRequestHead) -> Void
    ) {
      testDescription = description
      self.status = status
      self.fields = fields
      self.change = change
    }

    static func field(
      _ name: String, _ value: String?, _ status: Int?, _ fields: HTTPFields = [:]
    ) -> Variant {
      Variant("\(name): \(value ?? "(none)")", status, fields) {
        if let value { $0.fields.set(name, value) } else { $0.fields.remove(name) }
      }
    }
  }

  private static let version: HTTPFields = ["Sec-WebSocket-Version": "13"]

  static let variants: [Variant] = [
    .field("Upgrade", "WebSocket", 101), .field("Upgrade", "h2c, websocket", 101),
    .field("Upgrade", "h2c", nil), .field("Upgrade", "websockets", nil), .field("Upgrade", nil, nil),
    .field("Connection", "keep-alive, upgrade", 101), .field("Connection", "UPGRADE", 101),
    .field("Connection", "keep-alive", 400), .field("Connection", nil, 400),
    .field("Connection", "notupgrade", 400),
    .field("Sec-WebSocket-Version", nil, 426, version), .field("Sec-WebSocket-Version", "8", 426, version),
    .field("Sec-WebSocket-Version", "14", 426, version), .field("Sec-WebSocket-Version", "013", 426, version),
    .field("Sec-WebSocket-Version", "13, 8", 426, version), .field("Sec-WebSocket-Version", "", 426, version),
    Variant("two versions", 426, version) { $0.fields.append("Sec-WebSocket-Version", "13") },
    .field("Sec-WebSocket-Key", nil, 400), .field("Sec-WebSocket-Key", "", 400),
    .field("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400),
    .field("Sec-WebSocket-Key", "c2hvcnQ=", 400),
    .field("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA=", 400),
    .field("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j*Q==", 400),
    Variant("two keys", 400) { $0.fields.append("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") },
    Variant("POST", 405, ["Allow": "GET"]) { $0.method = .post },
    Variant("HEAD", 405, ["Allow": "GET"]) { $0.method = .head },
    Variant("HTTP/1.0", 400) { $0.version = .http10 },
    .field("Origin", nil, 101), .field("Sec-WebSocket-Protocol", nil, 101),
    .field("Sec-WebSocket-Extensions", "permessage-deflate", 101),
  ]

  @Test(arguments: variants) func serverCheck(_ variant: Variant) {
    switch OpeningHandshake.serverCheck(Self.request(variant.change)) {
    case .upgrade: #expect(variant.status == 101)
    case .notAnUpgrade: #expect(variant.status == nil)
    case .reject(let status, let fields, let reason):
      #expect(status.code == variant.status && fields == variant.fields && !reason.isEmpty)
    }
  }

  @Test func subprotocolsOverSeveralFields() {
    let head = Self.request {
      $0.fields.set("Sec-WebSocket-Protocol", " a ,b,, ")
      $0.fields.append("sec-websocket-protocol", "c")
    }
    #expect(OpeningHandshake.subprotocols(offered: head) == ["a", "b", "c"])
    #expect(OpeningHandshake.subprotocols(offered: Self.request { $0.fields = [:] }) == [])
  }

  @Test func response() throws {
    var writer = ByteWriter()
    try OpeningHandshake.encodeResponse(key: "dGhlIHNhbXBsZSBub25jZQ==", into: &writer)
    let start = """
      HTTP/1.1 101 Switching Protocols\r
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n
      """
    #expect(String(decoding: writer.bytes, as: UTF8.self) == start + "\r\n")
    writer.removeAll()
    try OpeningHandshake.encodeResponse(
      key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocol: "chat", extensions: "permessage-deflate",
      fields: ["Server": "m", "Upgrade": "h2c"], into: &writer)
    let fields = """
      Sec-WebSocket-Protocol: chat\r
      Sec-WebSocket-Extensions: permessage-deflate\r
      Server: m\r\n\r\n
      """
    #expect(String(decoding: writer.bytes, as: UTF8.self) == start + fields)
  }

  @Test(arguments: [("a\r\nb", "v"), ("chat", "a\nb")])
  func responseWithWhatCannotBeWritten(_ subprotocol: String, _ value: String) {
    var writer = ByteWriter()
    #expect(throws: HTTPEncodingError.self) {
      try OpeningHandshake.encodeResponse(
        key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocol: subprotocol, fields: ["Server": value], into: &writer)
    }
    #expect(writer.count == 0)
  }
}
