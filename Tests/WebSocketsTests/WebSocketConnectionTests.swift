import EventLoops
import Testing

@testable import WebSockets

/// A server's WebSocket on the simulated network: exact bytes, virtual time.
@Suite struct WebSocketConnectionTests {
  private func serve(_ options: WebSocketOptions = WebSocketOptions()) throws -> (
    SimulatedServer, RecordingHandler
  ) {
    let handler = RecordingHandler()
    return (try SimulatedServer(SocketService(options: options) { handler }), handler)
  }

  private let hello = Array("hello".utf8)

  @Test func everySplitGivesTheSameEvents() throws {
    let stream =
      Array(openingRequest.utf8) + clientFrame(0x81, hello) + clientFrame(0x89, [7])
      + clientFrame(0x02, [1, 2])
      + clientFrame(0x8A, []) + clientFrame(0x80, [3]) + clientFrame(0x88, [0x03, 0xE8])
    for split in 0...stream.count {
      let (server, handler) = try serve()
      let client = try server.connect()
      client.send(Array(stream[..<split]))
      server.network.runUntilIdle()
      client.send(Array(stream[split...]))
      server.network.runUntilIdle()
      let received = client.takeReceived()
      let frames: [UInt8] = [0x81, 5] + hello + [0x8A, 1, 7, 0x82, 3, 1, 2, 3, 0x88, 2, 0x03, 0xE8]
      #expect(received.suffix(frames.count).elementsEqual(frames), "split at \(split)")
      client.end()
      server.network.runUntilIdle()
      #expect(handler.events == ["opened", "hello", "pong", "3 bytes", "closed 1000 "], "split at \(split)")
      #expect(server.registry.count == 0)
    }
  }

  @Test func aSilentPeerIsPingedThenCut() throws {
    let (server, handler) = try serve(
      WebSocketOptions(keepaliveIntervalMilliseconds: 1_000, pongDeadlineMilliseconds: 300))
    let client = try server.connectWebSocket()
    server.network.advance(milliseconds: 999)
    #expect(client.takeReceived() == [])
    server.network.advance(milliseconds: 1)
    #expect(client.takeReceived() == [0x89, 0x00])
    // An answer in time is a sign of life; so is any other frame.
    server.network.advance(milliseconds: 299)
    client.send(clientFrame(0x8A, []))
    server.network.advance(milliseconds: 999)
    client.send(clientFrame(0x81, hello))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 5] + hello)
    server.network.advance(milliseconds: 1_000)
    #expect(client.takeReceived() == [0x89, 0x00])
    server.network.advance(milliseconds: 299)
    #expect(handler.events.last == "hello")
    server.network.advance(milliseconds: 1)
    #expect(handler.events.last == "closed 1006 The peer did not answer a ping in time.")
    #expect(server.count(of: "pong_timeouts") == 1)
  }

  @Test func noHeartbeatWhereItIsOff() throws {
    let (server, handler) = try serve(WebSocketOptions(keepaliveIntervalMilliseconds: 0))
    let client = try server.connectWebSocket()
    server.network.advance(milliseconds: 1_000_000)
    #expect(client.takeReceived() == [] && handler.events == ["opened"])
  }

  @Test func aPeerThatDoesNotAnswerACloseIsCut() throws {
    let (server, handler) = try serve(WebSocketOptions(closeTimeoutMilliseconds: 500))
    let client = try server.connectWebSocket()
    handler.connection?.close(code: CloseCode(rawValue: 4001), reason: "bye")
    handler.connection?.close(code: .normal)
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x88, 5, 0x0F, 0xA1] + Array("bye".utf8))
    // What comes behind our close frame is not delivered, and nothing is sent any more.
    client.send(clientFrame(0x81, hello))
    server.network.advance(milliseconds: 499)
    #expect(handler.events == ["opened"])
    #expect(handler.connection?.send("late") == false)
    server.network.advance(milliseconds: 1)
    #expect(handler.events == ["opened", "closed 1006 The connection was cut."])
    #expect(server.count(of: "close_timeouts") == 1)
  }

  @Test func ourCloseIsAnswered() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    handler.connection?.close(code: .goingAway, reason: String(repeating: "é", count: 100))
    server.network.runUntilIdle()
    // 123 bytes at most, cut at a character.
    let reason = Array(String(repeating: "é", count: 61).utf8)
    #expect(client.takeReceived() == [0x88, UInt8(2 + reason.count), 0x03, 0xE9] + reason)
    client.send(clientFrame(0x88, [0x03, 0xE9] + Array("ok".utf8)))
    server.network.runUntilIdle()
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events.last == "closed 1001 ok")
  }

  @Test func aCodeThatMustNotBeSentIsSentAs1000() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    handler.connection?.close(code: .abnormal)
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x88, 2, 0x03, 0xE8])
  }

  @Test(
    arguments: [
      (clientFrame(0x88, []), [0x88, 0], 1005),
      (clientFrame(0x88, [0x0F, 0xA0]), [0x88, 2, 0x0F, 0xA0], 4000),
    ] as [([UInt8], [UInt8], UInt16)])
  func aCloseIsEchoed(frame: [UInt8], answer: [UInt8], code: UInt16) throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    client.send(frame + clientFrame(0x81, hello))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == answer)
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "closed \(code) "])
  }

  @Test func aViolationIsToldAndEndsTheConnection() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x81, hello) + [0x81, 0x00])
    server.network.runUntilIdle()
    let reason = Array("A client's frame must be masked.".utf8)
    #expect(
      client.takeReceived() == [0x81, 5] + hello + [0x88, UInt8(2 + reason.count), 0x03, 0xEA] + reason)
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events.last == "closed 1006 A client's frame must be masked.")
    #expect(server.count(of: "protocol_errors") == 1)
  }

  @Test func anEndWithoutACloseFrame() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events.last == "closed 1006 The connection ended without a close frame.")
    let (other, broken) = try serve()
    try other.connectWebSocket().reset()
    other.network.runUntilIdle()
    #expect(broken.events.last?.hasPrefix("closed 1006 ") == true)
  }

  @Test(arguments: [(1_004, true), (1_003, true), (1_002, false)])
  func aSlowPeerIsGivenUpBehindItsLimit(limit: Int, isWithin: Bool) throws {
    let (server, handler) = try serve(WebSocketOptions(maximumQueuedBytes: limit))
    let client = try server.connectWebSocket()
    client.other?.writeWindow = 0
    let connection = try #require(handler.connection)
    let message = [UInt8](repeating: 1, count: 999)
    let isSent = (0..<2).map { _ in message.withUnsafeBytes { connection.send($0, .binary) } }
    // Each takes 1,003 bytes with its header, and the second one finds the first still waiting.
    #expect(isSent == [true, isWithin])
    #expect(connection.bufferedByteCount == (isWithin ? 2_006 : 0))
    server.network.runUntilIdle()
    #expect((handler.events.last == "opened") == isWithin)
    #expect(server.count(of: "slow_consumers") == (isWithin ? 0 : 1))
  }

  private static let slow = SlowConsumerClose(code: CloseCode(rawValue: 3008), reason: "slow")

  @Test func aSlowPeerCanBeToldWhy() throws {
    let (server, handler) = try serve(
      WebSocketOptions(
        closeTimeoutMilliseconds: 500, maximumQueuedBytes: 100, slowConsumerClose: Self.slow))
    let client = try server.connectWebSocket()
    client.other?.writeWindow = 0
    let connection = try #require(handler.connection)
    let message = [UInt8](repeating: 1, count: 120)
    let isSent = (0..<3).map { _ in message.withUnsafeBytes { connection.send($0, .binary) } }
    #expect(isSent == [true, false, false] && !connection.isOpen)
    #expect(connection.bufferedByteCount == 122 + 8)
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x82, 120] + message + [0x88, 6, 0x0B, 0xC0] + Array("slow".utf8))
    client.send(clientFrame(0x88, [0x0B, 0xC0]))
    server.network.runUntilIdle()
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "closed 3008 "])
    #expect(server.count(of: "slow_consumers") == 1)
  }

  @Test func aSlowPeerThatStaysSlowIsCut() throws {
    let (server, handler) = try serve(
      WebSocketOptions(closeTimeoutMilliseconds: 500, maximumQueuedBytes: 0, slowConsumerClose: Self.slow))
    let client = try server.connectWebSocket()
    client.other?.writeWindow = 0
    for _ in 0..<3 { handler.connection?.send("x") }
    server.network.advance(milliseconds: 499)
    #expect(handler.events == ["opened"])
    server.network.advance(milliseconds: 1)
    #expect(handler.events == ["opened", "closed 1006 The connection was cut."])
  }

  @Test func pongsCountAgainstTheQueueLimit() throws {
    let (server, handler) = try serve(WebSocketOptions(maximumQueuedBytes: 1_000))
    let client = try server.connectWebSocket()
    client.other?.writeWindow = 0
    for _ in 0..<100 {
      client.send(clientFrame(0x89, [UInt8](repeating: 7, count: 98)))
      server.network.runUntilIdle()
      #expect(handler.connection?.bufferedByteCount ?? 0 <= 1_100)
    }
    #expect(handler.events.last == "closed 1006 The peer reads too slowly: its outbound queue is full.")
    #expect(server.count(of: "slow_consumers") == 1)
  }

  @Test func aPausedConnectionHearsThePeersCloseFrame() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    handler.connection?.pauseReading()
    handler.connection?.close(code: .goingAway)
    client.send(clientFrame(0x81, hello) + clientFrame(0x88, [0x03, 0xE9]))
    server.network.runUntilIdle()
    client.end()
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "closed 1001 "])
  }

  @Test func theHandlerHearsWhenTheQueueIsEmptyAgain() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    client.other?.writeWindow = 10
    handler.connection?.send(String(repeating: "x", count: 100))
    server.network.runUntilIdle()
    #expect(handler.connection?.bufferedByteCount == 92)
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(handler.connection?.bufferedByteCount == 0)
    #expect(handler.events == ["opened", "drained"])
  }

  @Test func aPausedConnectionReadsNothing() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    handler.connection?.pauseReading()
    client.send(clientFrame(0x81, hello))
    server.network.advance(milliseconds: 100)
    #expect(handler.events == ["opened"])
    handler.connection?.resumeReading()
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "hello"])
  }

  @Test func aPreparedFrameIsSentAsItIs() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    let frame = hello.withUnsafeBytes { FrameEncoder.serverFrame(.text, $0) }
    #expect(handler.connection?.send(prepared: frame) == true)
    handler.connection?.ping()
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 5] + hello + [0x89, 0])
  }

  @Test func aPeerThatWeHoldBackIsNotTakenForDead() throws {
    let (server, handler) = try serve(
      WebSocketOptions(keepaliveIntervalMilliseconds: 1_000, pongDeadlineMilliseconds: 300))
    let client = try server.connectWebSocket()
    handler.connection?.pauseReading()
    client.send(clientFrame(0x81, hello) + clientFrame(0x8A, []))
    server.network.advance(milliseconds: 10_000)
    #expect(handler.events == ["opened"])
    handler.connection?.resumeReading()
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "hello", "pong"])
    // From here on silence counts again.
    server.network.advance(milliseconds: 1_300)
    #expect(handler.events.last == "closed 1006 The peer did not answer a ping in time.")
  }

  @Test func nothingIsDeliveredOrSentAfterAbort() throws {
    let handler = AbortingHandler()
    let server = try SimulatedServer(SocketService { handler })
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x81, hello) + clientFrame(0x81, [66]))
    server.network.runUntilIdle()
    #expect(handler.events == ["hello", "open false", "sent false", "closed 1006 The connection was cut."])
  }

  @Test func aPeerThatHasEndedIsNotOpen() throws {
    let (server, handler) = try serve()
    let client = try server.connectWebSocket()
    let connection = try #require(handler.connection)
    client.other?.writeWindow = 0
    connection.send("x")
    client.end()
    server.network.runUntilIdle()
    #expect(!connection.isOpen && !connection.send("late"))
  }
}

/// Cuts the connection at the first message.
private final class AbortingHandler: WebSocketHandler, @unchecked Sendable {
  var events: [String] = []

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    events.append(String(decoding: message, as: UTF8.self))
    connection.abort()
    events.append("open \(connection.isOpen)")
    events.append("sent \(connection.send("late"))")
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    events.append("closed \(code.rawValue) \(reason)")
  }
}
