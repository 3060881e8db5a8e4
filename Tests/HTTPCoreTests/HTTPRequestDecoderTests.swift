import HTTPCore
import Testing

@Suite struct HTTPRequestDecoderTests {
  private static let streams: [String] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\r\nhost:b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n"
      + "0\r\nX-T: 1\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: \t b c \t\r\nB:\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
  ]

  @Test(arguments: streams)
  func everySplitGivesTheSameEvents(_ text: String) {
    let bytes = Array(text.utf8)
    let expected = decodeRequests([bytes])
    #expect(!expected.isEmpty)
    for pieces in splits(bytes) {
      // A body that is cut short by an error may have been handed over in part before it.
      #expect(decodeRequests(pieces) == expected)
    }
  }

  @Test func readsHeadAndFields() {
    let events = decodeRequests([Array(Self.streams[4].utf8)])
    let head = HTTPRequestHead(
      method: .get, target: "/", fields: ["Host": "a", "A": "b c", "B": ""])
    #expect(events == [.request(head), .end(nil)])
  }

  @Test func readsChunksAndTrailers() {
    let events = decodeRequests([Array(Self.streams[3].utf8)])
    #expect(events.count == 5)
    #expect(events[1] == .body(Array("hello0123456789".utf8)))
    #expect(events[2] == .end(["X-T": "1"]))
    #expect(events[3] == .request(HTTPRequestHead(method: .get, target: "/", version: .http10)))
  }

  @Test func bytesBehindAnUpgradeStay() throws {
    let text = Array("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n\u{81}\u{5}".utf8)
    try text.withUnsafeBytes { bytes in
      var decoder = HTTPRequestDecoder()
      var input = bytes
      guard case .head = try decoder.next(&input), case .end(nil) = try decoder.next(&input) else {
        Issue.record("A head and its end are expected.")
        return
      }
      #expect(Array(input) == Array("\u{81}\u{5}".utf8))
      #expect(decoder.isIdle == true)
    }
  }

  @Test(arguments: 2..<24) func everySizeOfPiecesGivesTheSameEvents(_ size: Int) {
    let stream = Array((Self.streams[0] + Self.streams[1] + Self.streams[3] + Self.streams[2]).utf8)
    let pieces = stride(from: 0, to: stream.count, by: size).map { Array(stream[$0...].prefix(size)) }
    let events = decodeRequests(pieces)
    #expect(events == decodeRequests([stream]))
    #expect(events.count { if case .request = $0 { true } else { false } } == 7)
  }

  @Test func isIdleOnlyBetweenRequests() throws {
    let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".utf8)
    for end in 0...bytes.count {
      var decoder = HTTPRequestDecoder()
      try bytes[..<end].withUnsafeBytes { buffer in
        var input = buffer
        while try decoder.next(&input) != nil {}
      }
      let isIdle = decoder.isIdle
      #expect(isIdle == (end == 0 || end == bytes.count), "after \(end) bytes")
    }
  }

  /// A body is handed on as it comes, from where it lies.
  @Test func bodiesAreLentFromTheInput() throws {
    var decoder = HTTPRequestDecoder()
    try Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".utf8).withUnsafeBytes { buffer in
      var input = buffer
      guard case .head? = try decoder.next(&input), case .body(let piece)? = try decoder.next(&input) else {
        Issue.record("A head and a piece of a body are expected.")
        return
      }
      let start = try #require(buffer.baseAddress)
      #expect(piece.baseAddress == start + buffer.count - 3 && piece.count == 3)
    }
  }

  /// RFC 9110 §2.5: a higher minor version is read as HTTP/1.1.
  @Test func laterMinorVersionsAreRead() {
    let events = decodeRequests([Array("GET / HTTP/1.7\r\nHost: a\r\n\r\n".utf8)])
    #expect(events.first == .request(HTTPRequestHead(method: .get, target: "/", fields: ["Host": "a"])))
  }

  @Test func everyFormOfTarget() {
    for line in [
      "OPTIONS *", "OPTIONS /", "CONNECT example.com:443", "CONNECT [::1]:443", "GET http://a",
      "GET HTTPS://a/b",
      "GET //a", "M-SEARCH /%00?a",
    ] {
      let events = decodeRequests([Array("\(line) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)])
      #expect(events.count == 2 && events.last == .end(nil), "\(line)")
    }
  }

  @Test func randomBytesNeverTrap() {
    var state: UInt64 = 77
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let words = Array(
      "GET / HTTP/1.1|\r\n|Host: a|Content-Length: |Transfer-Encoding: chunked|0|5|;|\r|\n| |\0|x".utf8
    )
    .split(separator: UInt8(ascii: "|")).map(Array.init)
    for _ in 0..<20_000 {
      var stream = random(3) > 0 ? Array("POST / HTTP/1.1\r\nHost: a\r\n".utf8) : []
      for _ in 0..<random(12) {
        stream += random(5) > 0 ? words[random(words.count)] : [UInt8(random(256))]
      }
      #expect(decodeRequests([stream]) == decodeRequests(stream.map { [$0] }))
    }
  }

  @Test func randomChangesNeverTrap() {
    let text = Array(Self.streams[3].utf8)
    var state: UInt64 = 3
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<5_000 {
      var changed = text
      for _ in 0..<(1 + random(4)) { changed[random(text.count)] = UInt8(random(256)) }
      let cut = random(text.count)
      #expect(decodeRequests([changed]) == decodeRequests([Array(changed[..<cut]), Array(changed[cut...])]))
    }
  }

  @Test(
    arguments: [
      ("/a/b?c=d?e", "/a/b", "c=d?e"), ("/", "/", nil), ("/?", "/", ""), ("http://h:1/p?q", "/p", "q"),
      ("http://h", "/", nil), ("http://h?q", "/", "q"), ("/a?u=http://x/", "/a", "u=http://x/"),
    ] as [(String, String, String?)])
  func splitsTargets(_ target: String, _ path: String, _ query: String?) {
    let head = HTTPRequestHead(method: .get, target: target)
    #expect(head.path == path)
    #expect(head.query == query)
  }

  @Test func keepsAliveByVersion() {
    #expect(HTTPRequestHead(method: .get, target: "/").isKeepAlive)
    #expect(!HTTPRequestHead(method: .get, target: "/", version: .http10).isKeepAlive)
    #expect(!HTTPRequestHead(method: .get, target: "/", fields: ["Connection": "x, Close"]).isKeepAlive)
    #expect(
      HTTPRequestHead(method: .get, target: "/", version: .http10, fields: ["connection": "Keep-Alive"])
        .isKeepAlive)
  }

  /// Names are looked at eight bytes at a time: each byte counts at each place.
  @Test func eachByteOfANameCounts() {
    let head = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
    let letters = "abcdefghijklmnopqrstuvwxyz"
    let token = Set("!#$%&'*+-.^_`|~0123456789\(letters)\(letters.uppercased())".utf8)
    for place in 0..<20 {
      for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
        var name = Array("Aa-Zz-Name-Of-A-Fiel".utf8)
        name[place] = byte
        let events = decodeRequests([head + name + Array(": b\r\n\r\n".utf8)])
        if (events == [.error(400)]) == token.contains(byte) { Issue.record("\(byte) at \(place)") }
      }
    }
  }

  /// Values are looked at eight bytes at a time: each byte counts at each place.
  @Test func eachByteOfAValueCounts() {
    let head = Array("GET / HTTP/1.1\r\nHost: a\r\nA: ".utf8)
    for place in 0..<20 {
      for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") {
        var value = [UInt8](repeating: UInt8(ascii: "~"), count: 20)
        value[place] = byte
        let events = decodeRequests([head + value + Array("\r\n\r\n".utf8)])
        let isRefused = events == [.error(400)]
        if isRefused != (byte < 0x20 || byte == 0x7F) { Issue.record("\(byte) at \(place)") }
      }
    }
  }
}
