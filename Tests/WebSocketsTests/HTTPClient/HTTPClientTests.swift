import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct HTTPClientTests {
  @Test func bytesOfARequest() throws {
    let world = SimulatedHTTPClient()
    try world.send(fields: [
      "X-A": "b", "Host": "evil", "content-length": "1", "Transfer-Encoding": "chunked",
    ])
    #expect(
      world.request() == "POST /a?b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello")
    world.answer(body: "hi")
    #expect(world.outcomes == ["200 hi"])
    try world.send("", .get, url: "http://ann:p%3Aw@127.0.0.1", body: "")
    #expect(
      world.request() == "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic YW5uOnA6dw==\r\n\r\n")
    #expect(world.peers.count == 1)
  }

  @Test(
    arguments: [
      ["X-A": "b\r\nX-B: c"], ["X-A": "b\n"], ["X A": "b"], ["": "b"], ["X-A": "\u{0}"],
    ] as [HTTPFields])
  func requestsThatCannotBeWritten(fields: HTTPFields) throws {
    let world = SimulatedHTTPClient()
    try world.send(fields: fields)
    #expect(world.outcomes == ["invalidRequest"])
    #expect(world.peers.isEmpty)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "200 hi"),
    (
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "204 "
    ),
    ("HTTP/1.1 302 Found\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n", "302 "),
    ("HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx", "500 x"),
    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "invalidResponse"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "invalidResponse"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n", "invalidResponse"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", "invalidResponse"),
    ("SSH-2.0\r\n\r\n", "invalidResponse"),
  ])
  func responses(text: String, outcome: String) throws {
    // However it is cut into pieces.
    for pieceByteCount in [1, 7, 1_000] {
      let world = SimulatedHTTPClient { $0.limits.maximumBodyBytes = 10 }
      try world.send()
      world.peers[0].readPieceByteCount = pieceByteCount
      let bytes = Array(text.utf8)
      for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
        let piece = bytes[start..<min(start + pieceByteCount, bytes.count)]
        world.answer(String(decoding: piece, as: UTF8.self))
      }
      #expect(world.outcomes == [outcome])
    }
  }

  @Test func aBodyThatLastsUntilTheEnd() throws {
    let world = SimulatedHTTPClient()
    try world.send()
    world.answer("HTTP/1.1 200 OK\r\n\r\nab")
    world.answer("c")
    #expect(world.outcomes.isEmpty)
    world.end()
    #expect(world.outcomes == ["200 abc"])
    #expect(world.client.connectionCount == 0)
  }

  @Test func connectionsAreKeptForAWhile() throws {
    let world = SimulatedHTTPClient { $0.idleTimeoutMilliseconds = 100 }
    for _ in 0..<3 {
      try world.send()
      world.answer(body: "x")
      world.network.advance(milliseconds: 99)
    }
    #expect(world.peers.count == 1)
    world.network.advance(milliseconds: 2)
    #expect(world.client.connectionCount == 0)
    try world.send()
    #expect(world.peers.count == 2)
    world.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 1)
    #expect(world.client.connectionCount == 0)
    #expect(world.outcomes.count == 4)
  }

  @Test func whatNobodyAskedForEndsTheConnection() throws {
    let world = SimulatedHTTPClient()
    try world.send("a ")
    world.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    try world.send("b ")
    #expect(world.peers.count == 2)
    world.answer(1, body: "y")
    world.answer(1, body: "stray")
    try world.send("c ")
    #expect(world.peers.count == 3)
    #expect(world.outcomes == ["a 200 ", "b 200 y"])
  }

  @Test func soManyConnectionsAndSoManyThatWait() throws {
    let world = SimulatedHTTPClient {
      $0.maximumConnectionsPerHost = 2
      $0.maximumWaitingPerHost = 2
    }
    for name in ["a", "b", "c", "d", "e"] { try world.send("\(name) ", body: name) }
    #expect(world.outcomes == ["e tooManyRequests"])
    #expect(world.peers.count == 2)
    _ = world.request(0)
    world.answer(0, body: "1")
    #expect(world.request(0).hasSuffix("c"))
    world.answer(1, body: "2")
    world.answer(1, body: "3")
    world.answer(0, body: "4")
    #expect(world.outcomes == ["e tooManyRequests", "a 200 1", "b 200 2", "d 200 3", "c 200 4"])
    #expect(world.peers.count == 2)
  }

  @Test func theTimeIsOver() throws {
    let world = SimulatedHTTPClient { $0.maximumConnectionsPerHost = 1 }
    try world.send("a ", timeoutMilliseconds: 100)
    try world.send("b ", timeoutMilliseconds: 50)
    try world.send("c ", timeoutMilliseconds: 1_000)
    world.network.advance(milliseconds: 51)
    #expect(world.outcomes == ["b timedOut"])
    world.network.advance(milliseconds: 50)
    #expect(world.outcomes == ["b timedOut", "a timedOut"])
    // A late answer must not be taken for the next one's: the connection is gone.
    #expect(world.peers.count == 2)
    world.answer(0, body: "late")
    world.answer(1, body: "c")
    #expect(world.outcomes.last == "c 200 c")
  }

  @Test func noConnection() throws {
    let world = SimulatedHTTPClient { $0.connectTimeoutMilliseconds = 50 }
    try world.send(url: "http://127.0.0.1:81/")
    #expect(world.outcomes == ["connectFailed"])
    #expect(world.client.connectionCount == 0)
  }

  @Test(arguments: [true, false])
  func aKeptConnectionThatTheServerHasClosed(isRepeatable: Bool) throws {
    let world = SimulatedHTTPClient()
    try world.send("a ")
    world.answer(body: "")
    // The end comes when the request has left.
    try world.send("b ", isRepeatable: isRepeatable)
    world.end()
    if isRepeatable {
      #expect(world.request(1).hasSuffix("hello"))
      // Only once, and not on a fresh connection.
      world.end(1)
    }
    #expect(world.outcomes == ["a 200 ", "b closed"])
    #expect(world.peers.count == (isRepeatable ? 2 : 1))
  }

  @Test func aResponseThatIsCutShortIsNotRepeated() throws {
    let world = SimulatedHTTPClient()
    try world.send("a ")
    world.answer(body: "")
    try world.send("b ", isRepeatable: true)
    world.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    world.end()
    #expect(world.outcomes == ["a 200 ", "b invalidResponse"])
  }

  @Test func closingEndsAll() throws {
    let world = SimulatedHTTPClient { $0.maximumConnectionsPerHost = 1 }
    try world.send("a ")
    try world.send("b ")
    world.client.close()
    world.network.runUntilIdle()
    #expect(Set(world.outcomes) == ["a closed", "b closed"])
    #expect(world.client.connectionCount == 0)
  }
}
