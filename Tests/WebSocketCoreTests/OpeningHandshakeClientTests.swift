import HTTPCore
import Testing

@testable import WebSocketCore

@Suite struct OpeningHandshakeClientTests {
  private static let key = "dGhlIHNhbXBsZSBub25jZQ=="

  @Test func request() throws {
    let head = OpeningHandshake.request(
      url: try WebURL("ws://example.com:8080/chat?room=1"), key: Self.key, subprotocols: ["a", "b"],
      origin: "http://example.com", fields: ["X-Own": "1"])
    #expect(head.method == .get && head.target == "/chat?room=1" && head.version == .http11)
    #expect(
      head.fields == [
        "Host": "example.com:8080", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": Self.key, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "a, b",
        "Origin": "http://example.com", "X-Own": "1",
      ])
  }

  @Test func leastRequestIsTakenByTheServer() throws {
    let head = OpeningHandshake.request(url: try WebURL("wss://[::1]"), key: Self.key)
    #expect(head.fields["Host"] == "[::1]" && head.target == "/" && head.fields.count == 5)
    guard case .upgrade(Self.key) = OpeningHandshake.serverCheck(head) else {
      Issue.record("refused")
      return
    }
  }

  @Test func hostCanBeReplaced() throws {
    let head = OpeningHandshake.request(
      url: try WebURL("ws://127.0.0.1/"), key: Self.key, fields: ["host": "example.com", "A": "b"])
    #expect(head.fields.values(of: "Host") == ["example.com"] && head.fields["A"] == "b")
  }

  /// RFC 7617 §2: user and password with a colon between them.
  @Test(
    arguments: [
      ("ws://user:pass@example.com/", "Basic dXNlcjpwYXNz"),
      ("ws://us%65r:p%40ss@example.com/", "Basic dXNlcjpwQHNz"),
      ("ws://user@example.com/", "Basic dXNlcjo="),
    ])
  func userInformationBecomesAuthorization(_ url: String, _ value: String) throws {
    let head = OpeningHandshake.request(url: try WebURL(url), key: Self.key)
    #expect(head.fields.values(of: "Authorization") == [value])
    #expect(head.fields["Host"] == "example.com")
  }

  // MARK: The server's response

  private static func response(_ change: (inout HTTPFields) -> Void = { _ in }) -> HTTPResponseHead {
    var head = HTTPResponseHead(
      status: .switchingProtocols,
      fields: [
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Accept": OpeningHandshake.accept(key: key),
      ])
    change(&head.fields)
    return head
  }

  private func check(_ head: HTTPResponseHead, _ offered: [String] = []) throws -> String? {
    try OpeningHandshake.clientCheck(head, key: Self.key, offered: offered).subprotocol
  }

  @Test func takesValidResponses() throws {
    #expect(try check(Self.response()) == nil)
    #expect(try check(Self.response { $0.set("upgrade", "WebSocket") }) == nil)
    #expect(try check(Self.response { $0.set("connection", "foo, upgrade") }) == nil)
    #expect(try check(Self.response { $0.append("Sec-WebSocket-Protocol", "b") }, ["a", "b"]) == "b")
    #expect(try check(Self.response(), ["a", "b"]) == nil)
  }

  @Test(arguments: [100, 200, 204, 301, 400, 401, 403, 404, 426, 500, 503])
  func refusesOtherStatuses(_ code: Int) {
    var head = Self.response()
    head.status = HTTPStatus(code: code)
    #expect(throws: HandshakeError.self) { try check(head) }
  }

  struct Variant: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let change: @Sendable (inout HTTPFields) -> Void

    init(_ description: String, _ change: @escaping @Sendable (inout HTTPFields) -> Void) {
      testDescription = description
      self.change = change
    }
  }

  static let invalid: [Variant] = [
    Variant("no Upgrade") { $0.remove("Upgrade") },
    Variant("another Upgrade") { $0.set("Upgrade", "h2c") },
    Variant("no Connection") { $0.remove("Connection") },
    Variant("another Connection") { $0.set("Connection", "keep-alive") },
    Variant("no Accept") { $0.remove("Sec-WebSocket-Accept") },
    Variant("the Accept of another key") {
      $0.set("Sec-WebSocket-Accept", OpeningHandshake.accept(key: "AAAAAAAAAAAAAAAAAAAAAA=="))
    },
    Variant("Accept in another case") { $0.set("Sec-WebSocket-Accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=") },
    Variant("two Accepts") { $0.append("Sec-WebSocket-Accept", OpeningHandshake.accept(key: key)) },
    Variant("an extension") { $0.append("Sec-WebSocket-Extensions", "permessage-deflate") },
    Variant("a subprotocol that was not offered") { $0.append("Sec-WebSocket-Protocol", "c") },
    Variant("a subprotocol in another case") { $0.append("Sec-WebSocket-Protocol", "A") },
    Variant("a list of subprotocols") { $0.append("Sec-WebSocket-Protocol", "a, b") },
    Variant("two subprotocols") {
      $0.append("Sec-WebSocket-Protocol", "a")
      $0.append("Sec-WebSocket-Protocol", "b")
    },
  ]

  @Test(arguments: invalid) func refusesInvalidResponses(_ variant: Variant) {
    #expect(throws: HandshakeError.self) { try check(Self.response(variant.change), ["a", "b"]) }
  }
}
