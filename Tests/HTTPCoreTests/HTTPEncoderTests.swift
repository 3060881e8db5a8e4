import Bytes
import HTTPCore
import Testing

@Suite struct HTTPEncoderTests {
  @Test func writesARequest() throws {
    var writer = ByteWriter()
    let head = HTTPRequestHead(method: .get, target: "/a?b", fields: ["Host": "h", "A": ""])
    try HTTPEncoder.encode(head, into: &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "GET /a?b HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n")
    #expect(decodeRequests([writer.bytes]) == [.request(head), .end(nil)])
  }

  @Test func writesAResponse() throws {
    var writer = ByteWriter()
    try HTTPEncoder.encode(HTTPResponseHead(status: .noContent, version: .http10), into: &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "HTTP/1.0 204 No Content\r\n\r\n")
  }

  @Test(arguments: [
    ("A", "b\r\nC: d"), ("A", "\n"), ("A", "\r"), ("A", "\u{0}"), ("A\r\n", "b"), ("", "b"), ("A:", "b"),
    ("A ", "b"),
  ])
  func refusesFieldsThatWouldSplit(_ name: String, _ value: String) {
    var writer = ByteWriter()
    var fields = HTTPFields()
    fields.append(name, value)
    #expect(throws: HTTPEncodingError.self) {
      try HTTPEncoder.encode(HTTPResponseHead(status: .ok, fields: fields), into: &writer)
    }
    #expect(throws: HTTPEncodingError.self) {
      try HTTPEncoder.encode(HTTPRequestHead(method: .get, target: "/", fields: fields), into: &writer)
    }
    #expect(writer.bytes.isEmpty, "half a head")
  }

  @Test(arguments: [
    ("G T", "/"), ("", "/"), ("GET\r\n", "/"), ("GET", ""), ("GET", "/a b"), ("GET", "/\r\n"), ("GET", "/é"),
  ])
  func refusesBadRequestLines(_ method: String, _ target: String) {
    var writer = ByteWriter()
    #expect(throws: HTTPEncodingError.self) {
      try HTTPEncoder.encode(
        HTTPRequestHead(method: HTTPMethod(rawValue: method), target: target), into: &writer)
    }
  }

  @Test(arguments: [(99, "x"), (1_000, "x"), (-1, "x"), (200, "a\r\nb"), (200, "\u{0}")])
  func refusesBadStatusLines(_ code: Int, _ reason: String) {
    var writer = ByteWriter()
    #expect(throws: HTTPEncodingError.self) {
      try HTTPEncoder.encode(HTTPResponseHead(status: HTTPStatus(code: code, reason: reason)), into: &writer)
    }
  }

  @Test func writesChunks() {
    var writer = ByteWriter()
    [UInt8](repeating: 0x61, count: 17).withUnsafeBytes { HTTPEncoder.encodeChunk($0, into: &writer) }
    HTTPEncoder.encodeChunk(UnsafeRawBufferPointer(start: nil, count: 0), into: &writer)
    HTTPEncoder.encodeLastChunk(into: &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "11\r\naaaaaaaaaaaaaaaaa\r\n0\r\n\r\n")
  }
}
