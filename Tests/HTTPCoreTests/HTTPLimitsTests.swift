import HTTPCore
import Glibc
import Testing

/// Each limit: one below, at it, one above.
@Suite struct HTTPLimitsTests {
  private func status(_ text: String, _ limits: HTTPLimits) -> Int? {
    let bytes = Array(text.utf8)
    let whole = decodeRequests([bytes], limits)
    #expect(decodeRequests(bytes.map { [$0] }, limits) == whole)
    if case .error(let code) = whole.last { return code }
    return nil
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 431)] as [(Int, Int?)])
  func headBytes(_ beyond: Int, _ expected: Int?) {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nA: "
    let padding = String(repeating: "x", count: 200 + beyond - start.utf8.count - 4)
    #expect(status(start + padding + "\r\n\r\n", HTTPLimits(maximumHeadBytes: 200)) == expected)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 414)] as [(Int, Int?)])
  func startLineBytes(_ beyond: Int, _ expected: Int?) {
    let target = "/" + String(repeating: "x", count: 100 + beyond - "GET / HTTP/1.1".utf8.count)
    #expect(
      status("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", HTTPLimits(maximumStartLineBytes: 100)) == expected)
  }

  @Test(arguments: [(99, 431), (100, 414), (101, 414)])
  func aLineBeyondBothLimitsIsToldByTheLowerOne(_ headBytes: Int, _ expected: Int) {
    let limits = HTTPLimits(maximumHeadBytes: headBytes, maximumStartLineBytes: 100)
    #expect(status("GET /" + String(repeating: "x", count: 150), limits) == expected)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 431)] as [(Int, Int?)])
  func fieldCount(_ beyond: Int, _ expected: Int?) {
    let fields = String(repeating: "A: b\r\n", count: 9 + beyond)
    #expect(
      status("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", HTTPLimits(maximumFieldCount: 10)) == expected)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 413)] as [(Int, Int?)])
  func bodyBytes(_ beyond: Int, _ expected: Int?) {
    let limits = HTTPLimits(maximumBodyBytes: 20)
    let body = String(repeating: "x", count: 20 + beyond)
    #expect(
      status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)", limits)
        == expected)
    let pieces =
      "4\r\nabcd\r\n" + String(body.utf8.count - 4, radix: 16) + "\r\n" + body.dropFirst(4) + "\r\n0\r\n\r\n"
    #expect(
      status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(pieces)", limits) == expected)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 400)] as [(Int, Int?)])
  func chunkExtensionBytes(_ beyond: Int, _ expected: Int?) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let ext = ";" + String(repeating: "x", count: 255 + beyond)
    // The bound is for each chunk.
    #expect(status(head + "1\(ext)\r\na\r\n1;x\r\na\r\n0\r\n\r\n", HTTPLimits()) == expected)
    #expect(status(head + "1;x\r\na\r\n0\(ext)\r\n\r\n", HTTPLimits()) == expected)
  }

  @Test func limitsAreForEachRequestAnew() {
    let limits = HTTPLimits(
      maximumHeadBytes: 110, maximumStartLineBytes: 40, maximumFieldCount: 3, maximumBodyBytes: 20)
    let request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nA: \(String(repeating: "a", count: 30))\r\n\r\n"
      + "14\r\n" + String(repeating: "x", count: 20)
      + "\r\n0\r\nB: \(String(repeating: "b", count: 80))\r\n\r\n"
    #expect(status(String(repeating: request, count: 5), limits) == nil)
  }

  @Test func trailersAreLimited() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    #expect(status(head + String(repeating: "A: b\r\n", count: 101) + "\r\n", HTTPLimits()) == 431)
    #expect(status(head + "A: " + String(repeating: "b", count: 17_000), HTTPLimits()) == 431)
  }

  @Test func anEndlessHeadIsRefusedAtTheLimit() {
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1_024)
    var decoder = HTTPRequestDecoder()
    var taken = 0
    func feed(_ bytes: [UInt8]) -> Int? {
      bytes.withUnsafeBytes { bytes in
        var input = bytes
        do throws(HTTPDecodingError) {
          _ = try decoder.next(&input)
          return nil
        } catch {
          return error.suggestedStatus.code
        }
      }
    }
    #expect(feed(Array("GET / HTTP/1.1\r\nHost: a\r\nA: ".utf8)) == nil)
    var status: Int?
    while status == nil, taken < 20 << 20 {
      status = feed(piece)
      taken += piece.count
    }
    #expect(status == 431)
    #expect(taken <= 17 << 10)
  }

  @Test func aHeadByteByByteTakesLinearTime() {
    let limits = HTTPLimits(maximumHeadBytes: 1 << 20, maximumFieldCount: 100_000)
    func seconds(_ count: Int) -> Double {
      let text = Array(("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A: b\r\n", count: count)).utf8)
      let pieces = text.map { [$0] }
      // The thread's own time, the best of three: others use the processor, too.
      return (0..<3).map { _ in
        let start = threadSeconds()
        _ = decodeRequests(pieces, limits)
        return threadSeconds() - start
      }.min() ?? 0
    }
    _ = seconds(1_000)
    // Eight times the bytes: 8 if linear, 64 if each byte scans from the start.
    #expect(seconds(16_000) < seconds(2_000) * 30)
  }
}

private func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
