import HTTPCore
import Testing
import WebSockets

@testable import Gateways

@Suite struct StaticFilesTests {
  private static let script = Array(String(repeating: "let a = 1\n", count: 100).utf8)

  private let files = StaticFiles([
    "/index.html": Array("home".utf8), "/chat.html": Array("chat".utf8), "/assets/a.js": script,
    "/assets/index.html": Array("in".utf8), "/assets/p.png": script, "/empty.txt": [],
    "/big.txt": [UInt8](repeating: 32, count: StaticFiles.maximumFileBytes + 1),
  ])

  private func get(
    _ target: String, _ fields: HTTPFields = [:], method: HTTPMethod = .get
  ) -> HTTPResponse? {
    files.response(to: HTTPRequestHead(method: method, target: target, fields: fields))
  }

  @Test(arguments: [("/", "home"), ("/index.html", "home"), ("/chat", "chat"), ("/chat?x=/../1", "chat")])
  func pages(target: String, text: String) throws {
    let response = try #require(get(target))
    #expect(response.status == .ok)
    #expect(response.body?.array == Array(text.utf8))
    #expect(response.fields["X-Content-Type-Options"] == "nosniff")
    #expect(response.fields["Cache-Control"] == "no-cache")
    #expect(response.fields["Content-Type"] == "text/html; charset=utf-8")
    #expect(response.fields["Content-Security-Policy"]?.hasPrefix("default-src 'self';") == true)
  }

  @Test(arguments: [
    "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/assets/../index.html", "/..\\secret", "/./index.html",
    "//index.html", "/assets//a.js", "/index.html%00", "/%00", "/assets", "/assets/", "/nothing", "/%zz",
    "/%", "/index.html/", "/INDEX.HTML", "*", "index.html", "/%c0%ae%c0%ae/secret",
    "http://h/index.htm", "/big.txt", "/" + String(repeating: "a", count: 8_000),
  ])
  func whatIsNotInTheSetDoesNotExist(target: String) {
    #expect(get(target) == nil)
    #expect(get(target, method: .post) == nil)
  }

  @Test(arguments: [
    ("/a.html", "text/html; charset=utf-8"), ("/a.css", "text/css; charset=utf-8"),
    ("/a.js", "text/javascript; charset=utf-8"), ("/a.mjs", "text/javascript; charset=utf-8"),
    ("/a.json", "application/json"), ("/a.SVG", "image/svg+xml"), ("/a.png", "image/png"),
    ("/a.jpeg", "image/jpeg"), ("/a.webp", "image/webp"), ("/a.ico", "image/x-icon"),
    ("/a.woff2", "font/woff2"),
    ("/a.txt", "text/plain; charset=utf-8"), ("/plain", "application/octet-stream"),
    ("/a.exe", "application/octet-stream"), ("/a.html/b", "application/octet-stream"),
  ])
  func types(path: String, type: String) {
    #expect(ContentType.of(path: path) == type)
  }

  @Test func compressed() throws {
    let plain = try #require(get("/assets/a.js"))
    let gzip = try #require(get("/assets/a.js", ["Accept-Encoding": "gzip"]))
    #expect(plain.fields["Vary"] == "Accept-Encoding" && gzip.fields["Vary"] == "Accept-Encoding")
    #expect(plain.fields["Content-Encoding"] == nil && gzip.fields["Content-Encoding"] == "gzip")
    #expect(plain.body?.array == Self.script)
    // RFC 1952 §2.3.1: two bytes of magic, then the method; the last four bytes are the size of the input.
    let body = try #require(gzip.body).array
    #expect(body.prefix(3) == [0x1F, 0x8B, 8])
    #expect(Array(body.suffix(4)) == [0xE8, 0x03, 0, 0])
    #expect(body.count < 100)
    #expect(gzip.fields["ETag"] != plain.fields["ETag"])
    for fields in [["Accept-Encoding": "gzip;q=0"], ["Accept-Encoding": "br"]] as [HTTPFields] {
      #expect(get("/assets/a.js", fields)?.fields["Content-Encoding"] == nil)
    }
    // Neither what is small already, nor what is compressed by its own format.
    for target in ["/", "/assets/p.png", "/empty.txt"] {
      let response = try #require(get(target, ["Accept-Encoding": "gzip"]))
      #expect(response.fields["Content-Encoding"] == nil)
    }
  }

  @Test func unchanged() throws {
    for encoding in ["identity", "gzip"] {
      let fields: HTTPFields = ["Accept-Encoding": encoding]
      let tag = try #require(get("/assets/a.js", fields)?.fields["ETag"])
      for match in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
        let again = try #require(
          get("/assets/a.js", ["Accept-Encoding": encoding, "If-None-Match": match]))
        #expect(again.status == .notModified && again.body == nil)
        #expect(again.fields["ETag"] == tag && again.fields["Vary"] == "Accept-Encoding")
        #expect(again.fields["Content-Type"] == nil)
      }
      let other = get("/assets/a.js", ["Accept-Encoding": encoding, "If-None-Match": "\"x\""])
      #expect(other?.status == .ok)
    }
    #expect(get("/")?.fields["ETag"] != get("/chat")?.fields["ETag"])
  }

  @Test func methods() throws {
    let response = try #require(get("/", method: .post))
    #expect(response.status == .methodNotAllowed && response.fields["Allow"] == "GET, HEAD")
    // The server leaves the body of a response to HEAD out.
    #expect(get("/", method: .head)?.status == .ok)
  }

  @Test func anEmptySet() {
    #expect(StaticFiles([:]).isEmpty && !files.isEmpty)
  }
}
