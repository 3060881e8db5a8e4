import HTTPCore
import Testing

@Suite struct ContentNegotiationTests {
  @Test(arguments: [
    ("gzip", true), ("GZIP", true), ("deflate, gzip;q=0.5", true), ("x-gzip", true), ("*", true),
    ("br, *;q=0.1", true),
    ("", false), ("br", false), ("identity", false), ("gzip;q=0", false), ("gzip; q=0.000", false),
    ("gzip;Q=0", false),
    ("*;q=0", false), ("gzip;q=0, *", false), ("gzip, *;q=0", true), ("gzipx", false), ("gzip;q=0.001", true),
  ])
  func gzip(_ value: String, _ expected: Bool) {
    #expect(ContentNegotiation.acceptsGzip(["Accept-Encoding": value]) == expected)
  }

  @Test func withoutTheFieldThereIsNoGzip() {
    #expect(!ContentNegotiation.acceptsGzip([:]))
    #expect(ContentNegotiation.acceptsGzip(["accept-encoding": "br", "Accept-Encoding": "gzip"]))
  }

  @Test(arguments: [
    ("\"a\"", true), ("W/\"a\"", true), ("*", true), ("\"b\", \"a\"", true), ("\"b\"", false), ("a", false),
    ("\"A\"", false), ("", false), ("w/\"a\"", false),
  ])
  func tags(_ value: String, _ expected: Bool) {
    #expect(ContentNegotiation.matches(etag: "\"a\"", ifNoneMatch: ["If-None-Match": value]) == expected)
    #expect(ContentNegotiation.matches(etag: "W/\"a\"", ifNoneMatch: ["If-None-Match": value]) == expected)
  }
}
