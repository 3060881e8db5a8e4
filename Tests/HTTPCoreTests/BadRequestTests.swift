import HTTPCore
import Testing

/// Requests that two servers in a row could read differently, and what else no request looks like.
@Suite struct BadRequestTests {
  /// Behind a good request line and Host.
  static let fields: [(String, Int)] = [
    ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\nContent-Length: 0", 400),
    ("Content-Length: 5\r\nContent-Length: 6", 400),
    ("Content-Length: 5, 5", 400), ("Content-Length: 5,6", 400), ("Content-Length: +5", 400),
    ("Content-Length: -5", 400), ("Content-Length: 0x5", 400), ("Content-Length: 5 5", 400),
    ("Content-Length: 5.0", 400), ("Content-Length: 1e1", 400), ("Content-Length:", 400),
    ("Content-Length: 18446744073709551616", 400), ("Content-Length: 99999999999999999999999", 400),
    ("Content-Length: 18446744073709551615", 413), ("Content-Length: 9223372036854775808", 413),
    ("Content-Length: 1048577", 413),
    ("Transfer-Encoding: gzip", 501), ("Transfer-Encoding: gzip, chunked", 501),
    ("Transfer-Encoding: chunked, gzip", 501), ("Transfer-Encoding: chunked, chunked", 501),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501), ("Transfer-Encoding: identity", 501),
    ("Transfer-Encoding: xchunked", 501), ("Transfer-Encoding: \"chunked\"", 501),
    ("Transfer-Encoding: chunked;q=1", 501), ("Transfer-Encoding:", 501),
    ("Transfer-Encoding: \u{B}chunked", 400),
    ("Transfer-Encoding : chunked", 400), ("Transfer-Encoding\t: chunked", 400),
    (" Transfer-Encoding: chunked", 400),
    ("A: b\r\n c", 400), ("A: b\r\n\tc", 400), ("\tA: b", 400), ("A: b\rc", 400), ("A: b\nc: d", 400),
    ("A: b\r\r\nC: d", 400), ("A: b\n", 400), ("A: \u{0}", 400), ("A\u{0}: b", 400), ("A: \u{1}", 400),
    ("A: \u{7F}", 400), ("A: \u{1B}[0m", 400), (": b", 400), ("A", 400), ("A B: c", 400), ("A(: c", 400),
    ("é: c", 400), ("A@: c", 400), ("A/B: c", 400), ("\"A\": c", 400), ("Host: b", 400), ("host: a", 400),
    ("Content-Length: -0", 400), ("Content-Length: 5,", 400), ("Content-Length: 5;", 400),
    ("Content-Length: \"5\"", 400), ("Content-Length: ٥", 400), ("Content-Length : 5", 400),
    ("Content-Length: 5\r\nContent-Length: x", 400), ("Content-Length: 5\r\nTransfer-Encoding: gzip", 400),
    ("Content-Length: x\r\nTransfer-Encoding: chunked", 400), ("Transfer-Encoding: chunked,", 501),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 501),
    ("Transfer-Encoding: chunked\u{1}", 400), ("Transfer-Encoding: chunked\r\n ,gzip", 400),
    ("A\u{B}: b", 400), ("A: b\u{C}", 400), ("\u{B}A: b", 400), ("A[]: b", 400), ("A: b\r\n\rC: d", 400),
  ]

  /// Whole heads.
  static let heads: [(String, Int)] = [
    ("GET / HTTP/1.1\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET\r\n\r\n", 400),
    ("GET / HTTP/1.1\nHost: a\n\n", 400),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GÉT / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / http/1.1\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: é\r\n\r\n", 400),
    ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400), ("\r\n\r\n\r\n", 400),
    ("\nGET / HTTP/1.1\r\n", 400),
    ("\rGET / HTTP/1.1\r\n", 400), ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("\u{16}\u{3}\u{1}\u{0}", 400),
    ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
    ("GET / XTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/x.1\r\nHost: a\r\n\r\n", 400),
    ("GET https:// HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("POST * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: <a>\r\n\r\n", 400),
    ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400), ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
  ]

  /// Bodies behind `Transfer-Encoding: chunked`.
  static let chunks: [(String, Int)] = [
    ("\r\n", 400), (";a\r\n", 400), ("g\r\n", 400), ("-1\r\n", 400), ("+1\r\n", 400), (" 1\r\n", 400),
    ("1 \r\n", 400),
    ("0x1\r\n", 400), ("1\n", 400), ("1\rx", 400), ("1\r\nab\r\n", 400), ("1\r\na\n", 400),
    ("1\r\na\rb", 400),
    ("1;\u{0}\r\n", 400), ("1;a\nb\r\n", 400), ("10000000000000000\r\n", 400), ("00000000000000001\r\n", 400),
    ("ffffffffffffffff\r\n", 413), ("100001\r\n", 413), ("1\r\na\r\nffffffffffffffff\r\n", 413),
    ("0\r\nA\r\n\r\n", 400), ("0\r\nA : b\r\n\r\n", 400), ("0\r\nA: b\r\n c\r\n\r\n", 400), ("0\r\n\n", 400),
    ("0\r\nA: \u{0}\r\n\r\n", 400), ("1;" + String(repeating: "a", count: 300) + "\r\n", 400),
    ("1\r\rna", 400), ("1 ;a\r\n", 400), ("1;\u{1}\r\n", 400), ("1\r\na\r\n\r\n", 400),
    ("2\r\na\r\n0\r\n\r\n", 400), ("1\r\na0\r\n\r\n", 400), ("1,1\r\n", 400), ("1.0\r\n", 400),
    ("FFFFFFFFFFFFFFFFF\r\n", 400), ("0\r\n A: b\r\n\r\n", 400), ("0\r\nA: b\n\r\n", 400),
  ]

  private func check(_ text: String, _ status: Int) {
    let bytes = Array(text.utf8)
    for pieces in [[bytes], bytes.map { [$0] }] {
      #expect(decodeRequests(pieces).last == .error(status), "\(text.debugDescription)")
    }
  }

  @Test(arguments: fields) func badFieldsAreRefused(_ lines: String, _ status: Int) {
    check("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", status)
  }

  @Test(arguments: heads) func badHeadsAreRefused(_ text: String, _ status: Int) {
    check(text, status)
  }

  @Test(arguments: chunks) func badChunksAreRefused(_ text: String, _ status: Int) {
    check("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + text, status)
  }

  /// RFC 9110 §5.5: a value has HTAB, SP, VCHAR and obs-text; around words of eight, wherever they begin.
  @Test func everyByteInEveryPlaceOfAValue() {
    let head = Array("GET / HTTP/1.1\r\nHost: a\r\nA: ".utf8)
    for byte in 0...UInt8.max {
      for place in 1..<19 {
        var value = [UInt8](repeating: UInt8(ascii: "b"), count: 20)
        value[place] = byte
        let isRefused = byte != 9 && (byte < 0x20 || byte == 0x7F)
        let events = decodeRequests([head + value + Array("\r\n\r\n".utf8)])
        if (events.last == .error(400)) != isRefused || events.count != (isRefused ? 1 : 2) {
          Issue.record("byte \(byte), place \(place): \(events)")
          return
        }
      }
    }
  }

  @Test func equalContentLengthsAreOne() {
    let text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 02\r\n\r\nok"
    #expect(decodeRequests([Array(text.utf8)]).suffix(2) == [.body(Array("ok".utf8)), .end(nil)])
  }
}
