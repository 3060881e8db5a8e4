import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct ForwardedRequestTests {
  private func resolve(
    _ fields: HTTPFields, peer: String = "10.0.0.1", _ kind: ForwardedFields = .xForwarded,
    secure: Bool = false
  ) throws -> ForwardedRequest {
    var options = HTTPServerOptions()
    options.trustedProxies = try ["10.0.0.0/8", "fd00::/8"].map { try #require(AddressRange($0)) }
    options.forwardedFields = kind
    let peer = try #require(SocketAddress(literal: peer, port: 9))
    var request = ForwardedRequest(peer: peer, isSecure: secure)
    request.believe(fields, options)
    return request
  }

  @Test(arguments: [
    (["192.0.2.1"], "192.0.2.1"), (["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
    (["203.0.113.9", "192.0.2.1"], "192.0.2.1"), (["192.0.2.1, 10.1.1.1"], "192.0.2.1"),
    (["203.0.113.9, 192.0.2.1, 10.1.1.1, fd00::7"], "192.0.2.1"), (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
    (["192.0.2.1:4711"], "192.0.2.1"), (["[2001:db8::1]:4711"], "2001:db8::1"),
    (["2001:db8::1"], "2001:db8::1"),
    (["::ffff:192.0.2.1"], "192.0.2.1"), (["unknown"], "10.0.0.1"), (["192.0.2.1, garbage"], "10.0.0.1"),
    (["192.0.2.1, garbage, 10.1.1.1"], "10.1.1.1"), ([""], "10.0.0.1"), (["::1:80:x"], "10.0.0.1"),
    ([], "10.0.0.1"),
  ])
  func theRightmostUntrustedAddressIsTheClient(values: [String], client: String) throws {
    var fields = HTTPFields()
    for value in values { fields.append("X-Forwarded-For", value) }
    #expect(try resolve(fields).clientAddress.host == client)
  }

  @Test func strangersAreNotBelieved() throws {
    let fields: HTTPFields = [
      "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil",
    ]
    let found = try resolve(fields, peer: "11.0.0.1")
    #expect(found.clientAddress == SocketAddress(literal: "11.0.0.1", port: 9))
    #expect(!found.isSecure && found.host == nil)
    #expect(try resolve(fields, .none).clientAddress.host == "10.0.0.1")
  }

  /// What a client makes up passes through a proxy that writes the other kind of fields.
  @Test func onlyTheConfiguredFieldsAreRead() throws {
    let both: HTTPFields = ["X-Forwarded-For": "192.0.2.1", "Forwarded": "for=203.0.113.9;proto=https"]
    #expect(try resolve(both).clientAddress.host == "192.0.2.1")
    #expect(try !resolve(both).isSecure)
    #expect(try resolve(both, .forwarded).clientAddress.host == "203.0.113.9")
    #expect(try resolve(both, .forwarded).isSecure)
  }

  @Test(arguments: [
    ("https", false, true), ("HTTPS", false, true), ("wss", false, true), ("http", false, false),
    ("http", true, false), ("http, https", false, true), ("https, http", false, false),
  ])
  func theScheme(value: String, isSecure: Bool, expected: Bool) throws {
    #expect(try resolve(["X-Forwarded-Proto": value], secure: isSecure).isSecure == expected)
  }

  @Test func withoutASchemeTheConnectionsOwnCounts() throws {
    #expect(try resolve(["X-Forwarded-For": "192.0.2.1"], secure: true).isSecure)
  }

  @Test(
    arguments: [
      ("for=192.0.2.43", "192.0.2.43", false, nil),
      ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", false, nil),
      ("for=192.0.2.60;proto=https;by=203.0.113.43", "192.0.2.60", true, nil),
      ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17", false, nil),
      (
        "for=192.0.2.43;proto=https;host=example.com, for=10.9.9.9;proto=http;host=inner", "192.0.2.43", true,
        "example.com"
      ),
      ("for=unknown", "10.0.0.1", false, nil), ("for=_hidden;proto=https", "10.0.0.1", true, nil),
      ("for=\"192.0.2.43", "10.0.0.1", false, nil), ("for=192.0.2.43;for=192.0.2.44", "10.0.0.1", false, nil),
      ("for=\"192.0.2.43, for=1.1.1.1\", for=192.0.2.7", "192.0.2.7", false, nil),
      ("broken, for=192.0.2.7", "192.0.2.7", false, nil), ("for=192.0.2.7, broken", "10.0.0.1", false, nil),
      // A client's own field, to which the proxy has appended an element with a quoted string.
      ("for=6.6.6.6;x=\", for=\"[2001:db8::1]\"", "10.0.0.1", false, nil),
      ("for=6.6.6.6;x\"=y, for=192.0.2.7", "10.0.0.1", false, nil),
      // U+0600 makes one character with the comma behind it.
      ("for=6.6.6.6;x=\u{600}, for=192.0.2.7", "192.0.2.7", false, nil),
      ("host=\"a\\\"b\";for=192.0.2.7", "192.0.2.7", false, "a\"b"), ("", "10.0.0.1", false, nil),
    ] as [(String, String, Bool, String?)])
  func elementsOfRFC7239(value: String, client: String, isSecure: Bool, host: String?) throws {
    let found = try resolve(["Forwarded": value], .forwarded)
    #expect(found.clientAddress.host == client)
    #expect(found.isSecure == isSecure)
    #expect(found.host == host)
  }

  @Test func aPageBehindATrustedProxyIsOfTheSameOrigin() {
    let fields: HTTPFields = ["Host": "inner:8000", "Origin": "https://example.com"]
    let policy = OriginPolicy.sameOrigin
    #expect(policy.allows(fields, isSecure: true, host: "example.com"))
    #expect(policy.allows(fields, isSecure: true, host: "example.com:443"))
    #expect(!policy.allows(fields, isSecure: false, host: "example.com"))
    #expect(!policy.allows(fields, isSecure: true))
    #expect(!policy.allows(fields, isSecure: true, host: "example.com:80"))
  }
}
