import Testing

@testable import martlet

@Suite("Addresses of servers") struct ServerAddressTests {
  @Test(
    "URLs of both kinds lead to both endpoints",
    arguments: [
      ("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/connection/websocket", "/api/publish"),
      ("http://host:8000/", "ws://host:8000/connection/websocket", "/api/publish"),
      ("http://[::1]:8000", "ws://[::1]:8000/connection/websocket", "/api/publish"),
      ("https://host/", "wss://host/connection/websocket", "/api/publish"),
      ("wss://host:8000", "wss://host:8000/connection/websocket", "/api/publish"),
      ("ws://host:8000/own/path", "ws://host:8000/own/path", "/own/path/publish"),
      ("http://host:8000/centrifugo/api/", "ws://host:8000/centrifugo/api/", "/centrifugo/api/publish"),
    ])
  func endpoints(text: String, webSocket: String, api: String) throws {
    let address = try ServerAddress(text)
    #expect(address.webSocketURL == webSocket)
    #expect(address.apiTarget("publish") == api)
  }

  @Test(
    "Others are refused", arguments: ["", "host:8000", "ftp://host", "ws://"])
  func refused(text: String) {
    #expect(throws: BadValue.self) { try ServerAddress(text) }
  }

  @Test(
    "Header fields",
    arguments: [
      ("A: b", "A", "b"), ("X-Key:v:w ", "X-Key", "v:w"), ("Empty:", "Empty", ""), ("NoColon", nil, nil),
      (": v", nil, nil), ("A b: c", nil, nil), ("A: b\r\nC: d", nil, nil),
    ] as [(String, String?, String?)])
  func headers(text: String, name: String?, value: String?) {
    let field = try? ValueKind.header.read(.text(text))
    #expect(field?.name == name)
    #expect(field?.value == value)
  }
}
